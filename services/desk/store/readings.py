"""Who was shown who a reporter is: an event and a row, once for each person and case an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from services.desk.domain import rights_of
from services.desk.store.cases import append_line, case_of, find, put
from services.desk.store.tables import CaseRow, ReadingRow
from shared.contracts import Actor
from shared.contracts.desk import CasePersonalDataRead
from shared.messaging.transaction import Transaction

ONCE_IN = timedelta(hours=1)
IS_RECORDED = """EXISTS (
  SELECT FROM readings
  WHERE feedback_id = ANY($1::text[]) AND username = $2 AND at > $3 AND what = $4
)"""
"""Whether a look is one with a look that stands on record already: of this case (in an array), and
what `look` gives."""


def look(username: str, what: tuple[str, ...], now: datetime) -> tuple[str, datetime, str]:
    """A look as `IS_RECORDED` takes it."""
    return username, now - ONCE_IN, ",".join(what)


async def record(tx: Transaction, feedback_id: str, by: Actor, what: tuple[str, ...]) -> None:
    """Put on record that `by` was shown who it is, unless it was a moment ago."""
    await tx.lock(feedback_id, loading=(CaseRow,))
    row = find(tx, feedback_id)
    known = await tx.fetch(
        f"SELECT {IS_RECORDED} AS known", [feedback_id], *look(by.name or "", what, tx.now)
    )
    if row is None or known[0]["known"]:
        return
    case = case_of(row)
    event = CasePersonalDataRead(
        feedback_id=feedback_id,
        at=tx.now,
        by=by,
        state=case.state,
        rights=rights_of(case),
        what=what,
    )
    keep_reading(tx, row, event, tx.emit(event))


def keep_reading(tx: Transaction, row: CaseRow, event: CasePersonalDataRead, ce_id: str) -> None:
    """The row of an event that stands in the log. Nothing moved in the case."""
    rows = tx.rows(ReadingRow)
    rows.upsert(rows.new(ce_id=ce_id, feedback_id=row.feedback_id, **said(event)))
    append_line(tx, row, event, ce_id)
    put(tx, row)


def said(event: CasePersonalDataRead) -> dict[str, Any]:
    """What a row keeps of the event."""
    return {
        "username": event.by.name or "",
        "display": event.by.display,
        "role": event.by.role,
        "what": ",".join(event.what),
        "at": event.at,
    }
