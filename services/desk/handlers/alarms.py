"""What may be an emergency."""

from __future__ import annotations

from dataclasses import replace

from services.desk.domain import Alarm
from services.desk.store import assign, case_of, find, put
from shared.contracts.routing import FeedbackAlarmRaised
from shared.messaging.transaction import Transaction


async def lay_before_the_office(event: FeedbackAlarmRaised, tx: Transaction) -> None:
    """On top of everything until somebody does something about it."""
    row = find(tx, event.feedback_id)
    if row is None or row.alarm is not None:
        return
    alarm = Alarm(
        at=event.at,
        found_by=event.found_by,
        kind=event.kind,
        sure=event.sure,
        reasons=tuple(one.model_dump(exclude_none=True) for one in event.reasons),
    )
    assign(row, replace(case_of(row), alarm=alarm))
    put(tx, row)
