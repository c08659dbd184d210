"""Remembers alarms: that one was raised, and what people said of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.domain import Alarm
from services.routing.store import DecisionRow, JudgementRow, decision_of, vectors
from shared.contracts.routing import FeedbackAlarmRaised, Reason
from shared.messaging.transaction import Transaction

_JUDGED = "SELECT feedback_id, emergency FROM judgements WHERE feedback_id = ANY($1::varchar[])"


def raise_alarm(tx: Transaction, feedback_id: str, alarm: Alarm, *, later: bool = False) -> None:
    """Tell the office at once; the row of the decision is loaded, and remembers it. `later`: it was
    raised by what was added to the case."""
    row = decision_of(tx, feedback_id)
    if row is None or row.alarm is not None:
        return
    row.alarm = {"found_by": alarm.found_by, "kind": alarm.kind, "sure": alarm.sure}
    if later:
        row.alarm |= {"later": True}
    tx.rows(DecisionRow).upsert(row)
    tx.emit(
        FeedbackAlarmRaised(
            feedback_id=feedback_id,
            at=tx.now,
            found_by=alarm.found_by,
            kind=alarm.kind,
            sure=alarm.sure,
            reasons=tuple(
                Reason(text=r.text, text_en=r.text_en, weight=r.weight) for r in alarm.reasons
            ),
        )
    )


async def keep_judgement(
    tx: Transaction, feedback_id: str, at: datetime, *, emergency: bool
) -> None:
    """The last word counts."""
    rows = tx.rows(JudgementRow)
    await rows.load([feedback_id])
    rows.upsert(rows.new(feedback_id=feedback_id, at=at, emergency=emergency))


async def nearest_judged(
    connection: AsyncConnection, model: str, vector: Sequence[float], *, but: str
) -> list[tuple[bool, float]]:
    """(was one, cosine) of the nearest cases of which a person said it, the nearest first."""
    found = await vectors.nearest(connection, model, vector, limit=20, but=but)
    likeness = {one.feedback_id: one.likeness for one in found}
    rows = await connection.exec_driver_sql(_JUDGED, (list(likeness),))
    judged = [(row.emergency, likeness[row.feedback_id]) for row in rows]
    return sorted(judged, key=lambda one: -one[1])
