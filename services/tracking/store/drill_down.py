"""The cases behind a number: found by an index, and counted by what counted them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from services.tracking.domain.behind import (
    Behind,
    counts_for,
    late_at,
    period_of,
    was_late_at,
)
from services.tracking.domain.board import Question
from services.tracking.domain.case import next_due
from services.tracking.domain.measures import COUNTS, RETURN_RATE, Found
from services.tracking.store.board import conditions
from services.tracking.store.tables import WAS_SPLIT
from shared.contracts.vocabulary import ENDED
from shared.db.compiled import Compiled
from shared.messaging.transaction import Transaction

_FIELDS = (
    "feedback_id, title, confidential, state, received_at, channel, department, category, priority,"
    " reporter_group, dispatches, returns, reopenings, first_dispatched_at, replied_at,"
    " first_replied_at, rated_at, stars, solved, promises, due_at, overdue, resolution_overdue,"
    " at_risk, first_due_at, outcome, extended, measured"
)
_COLUMNS = ", ".join([*(f"c.{name.strip()}" for name in _FIELDS.split(",")), WAS_SPLIT])
_DOCUMENTS = ("promises", "measured")
_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))
_AT = {
    Found.RECEIVED: "received_at",
    Found.FIRST_DUE: "first_due_at",
    Found.REPLY: "replied_at",
    Found.RATING: "rated_at",
    Found.DISPATCH: "first_dispatched_at",
}

_MET = frozenset({Found.RESOLUTION, Found.FIRST_RESPONSE, Found.ACCEPT})
_PROMISES_MET = f"""
SELECT {_COLUMNS}, d.department AS of_department, cast(:detail AS text) AS of_detail,
  d.met_at AS at, d.working_seconds AS of_seconds, d.in_time AS adds
FROM durations d JOIN cases c USING (feedback_id)
WHERE d.clock = :kind AND d.met_at >= :first AND d.met_at < :last {{filters}}
ORDER BY d.in_time, d.met_at DESC, d.feedback_id, d.cycle
"""
_KEPT = f"""
SELECT {_COLUMNS}, o.department AS of_department, o.detail AS of_detail, o.at,
  o.seconds AS of_seconds, {{adds}} AS adds
FROM occurrences o JOIN cases c USING (feedback_id)
WHERE o.kind = :kind AND o.at >= :first AND o.at < :last
  AND (cast(:detail AS text) IS NULL OR o.detail = :detail) {{filters}}
ORDER BY o.at DESC, o.feedback_id, o.seq
"""
_OCCURRENCES = _KEPT.replace("{adds}", "NULL")
# Returned by the same department before it was sent anywhere else.
_DISPATCHES = _KEPT.replace(
    "{adds}",
    """EXISTS (
  SELECT FROM occurrences r WHERE r.feedback_id = o.feedback_id AND r.kind = 'return'
    AND r.department = o.department AND r.seq > o.seq AND NOT EXISTS (
      SELECT FROM occurrences s WHERE s.feedback_id = o.feedback_id AND s.kind = 'dispatch'
        AND s.seq > o.seq AND s.seq < r.seq))""",
)


@dataclass(frozen=True)
class Row:
    """One line of a list: a case, or something that happened to it."""

    case: Any
    """Its view as it is now."""
    name: str
    """The sum it was counted by."""
    at: datetime | None
    """When what is counted happened; of what is true at present the next deadline."""
    department: str | None
    detail: str | None = None
    seconds: int | None = None
    working: bool = True
    """Whether `seconds` are of working time."""
    adds: float | None = None
    """Of a rate: how much this line counts towards it."""


async def rows_behind(tx: Transaction, question: Question, wanted: Behind) -> AsyncIterator[Row]:
    """Everything that the number is made of: open ones first, then the newest first."""
    names = sorted(wanted.whole, key=lambda name: COUNTS[name].found is not Found.LATE)
    for name in names:
        counted = COUNTS[name]
        if counted.found is Found.LATE:
            found = _late(tx, question)
        elif not counted.each:
            found = _cases(tx, question, wanted, name)
        else:
            found = _each(tx, question, wanted, name)
        async for row in found:
            yield row


async def _cases(
    tx: Transaction, question: Question, wanted: Behind, name: str
) -> AsyncIterator[Row]:
    """Cases found by the moment that their count goes by; the count itself says which are meant."""
    found = COUNTS[name].found
    first, last = period_of(question, name)
    if found is Found.OPEN:
        where = f"c.state NOT IN ({_ENDED})"
    elif found in (Found.RECEIVED, Found.FIRST_DUE):
        where = f"c.{_AT[found]} >= :first AND c.{_AT[found]} < :last"
    else:
        where = (
            "c.feedback_id IN (SELECT o.feedback_id FROM occurrences o WHERE o.kind = :kind "
            "AND o.at >= :first AND o.at < :last)"
        )
    moment = "first_replied_at" if name in ("answered", "reopened") else _AT.get(found)
    order = moment or "received_at"
    async for case, _ in _select(
        tx,
        question,
        f"SELECT {_COLUMNS} FROM cases c WHERE {where} {{filters}} "
        f"ORDER BY c.{order} DESC, c.feedback_id",
        of="c",
        first=first,
        last=last,
        kind=found.value,
    ):
        if not counts_for(case, name, question, wanted.detail):
            continue
        at = next_due(case) if found is Found.OPEN else getattr(case, order)
        yield Row(case, name, at, case.department, adds=_adds(case, question, wanted))


def _adds(case: Any, question: Question, wanted: Behind) -> float | None:
    if wanted.part is None:
        return None
    name, detail = wanted.part
    return wanted.weight * counts_for(case, name, question, detail)


async def _each(
    tx: Transaction, question: Question, wanted: Behind, name: str
) -> AsyncIterator[Row]:
    """What happened, each time: a promise that was met, or whatever else is kept."""
    found = COUNTS[name].found
    first, last = period_of(question, name)
    met, returned = found in _MET, wanted.key == RETURN_RATE.key
    async for case, one in _select(
        tx,
        question,
        _PROMISES_MET if met else _DISPATCHES if returned else _OCCURRENCES,
        of="d" if met else "o",
        first=first,
        last=last,
        kind=found.value,
        detail=None if met else wanted.detail,
    ):
        yield Row(
            case,
            name,
            one["at"],
            one["of_department"] or None,
            one["of_detail"] or None,
            one["of_seconds"],
            working=name != "dwell",
            adds=float(one["adds"]) if met or returned else None,
        )


async def _late(tx: Transaction, question: Question) -> AsyncIterator[Row]:
    """Late with the promise to the reporter at the end of the period: still, or then."""
    async for case, _ in _select(
        tx,
        question,
        f"SELECT {_COLUMNS} FROM cases c WHERE c.resolution_overdue {{filters}} "
        "ORDER BY c.feedback_id",
        of="c",
    ):
        if late_at(case, question.end):
            yield Row(case, "late", None, case.department, adds=0.0)
    async for case, one in _select(
        tx,
        question,
        f"SELECT {_COLUMNS}, o.department AS of_department, o.at, o.seconds "
        "FROM occurrences o JOIN cases c USING (feedback_id) "
        "WHERE o.kind = 'late' AND o.at >= :end {filters} ORDER BY o.at DESC, o.feedback_id",
        of="o",
        end=question.end,
    ):
        if was_late_at(one["at"], one["seconds"], question.end):
            yield Row(case, "late", None, one["of_department"] or None, adds=0.0)


async def _select(
    tx: Transaction, question: Question, statement: str, *, of: str, **values: Any
) -> AsyncIterator[tuple[Any, Any]]:
    filters, chosen = conditions(question, of)
    compiled = _compiled(statement.format(filters=filters))
    async for row in compiled.stream(tx.connection, values | chosen):
        case = SimpleNamespace(**row)
        for name in _DOCUMENTS:
            value = getattr(case, name)
            if isinstance(value, str):
                setattr(case, name, json.loads(value))
        yield case, row


@lru_cache(maxsize=100)
def _compiled(statement: str) -> Compiled:
    return Compiled(text(statement))
