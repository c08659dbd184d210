"""What tracking remembers: disposable views, projected from the log."""

from services.tracking.store.tables import (
    CaseRow,
    ChangedDayRow,
    CounterRow,
    DurationBandRow,
    DurationRow,
    GenerationRow,
    LineRow,
    OccurrenceRow,
    TrackingTable,
)

__all__ = [
    "CaseRow",
    "ChangedDayRow",
    "CounterRow",
    "DurationBandRow",
    "DurationRow",
    "GenerationRow",
    "LineRow",
    "OccurrenceRow",
    "TrackingTable",
]
