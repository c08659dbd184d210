"""What tracking remembers: disposable views, projected from the log."""

from services.tracking.store.tables import (
    CaseRow,
    CounterRow,
    DurationRow,
    GenerationRow,
    LineRow,
    OccurrenceRow,
    TrackingTable,
    load,
)

__all__ = [
    "CaseRow",
    "CounterRow",
    "DurationRow",
    "GenerationRow",
    "LineRow",
    "OccurrenceRow",
    "TrackingTable",
    "load",
]
