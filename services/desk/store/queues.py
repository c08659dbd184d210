"""Queues: what breaks first on top, one page at a time, in one look at one index."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain import Scope
from services.desk.domain.promises import NOT_OPEN
from services.desk.domain.search import pattern
from services.desk.store.tables import CaseRow, WordsRow
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import State
from shared.web.moments import LOCAL

QUEUES = (
    "triage",
    "mine",
    "department",
    "to_accept",
    "due_soon",
    "overdue",
    "waiting",
    "review",
    "open",
    "today",
    "all",
)
SOON = timedelta(hours=2)
COUNT_AT_MOST = 500
"""A longer queue is shown as ``500+``: nobody works by the exact number, and it stays cheap."""

_cases: Any = CaseRow.__table__
_words: Any = WordsRow.__table__
_ORDER = (_cases.c.breaks_at, _cases.c.received_at, _cases.c.feedback_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for; `username` and `department` are those of the person asking."""

    scope: Scope
    username: str
    own_department: str | None
    now: datetime
    queue: str = "all"
    state: State | None = None
    department: str | None = None
    category: str | None = None
    channel: str | None = None
    q: str = ""
    cursor: str | None = None
    limit: int = 50


async def page(connection: AsyncConnection, wanted: Wanted) -> tuple[list[Any], str | None]:
    """The rows of one page, and the cursor of the next."""
    query: Select[Any] = select(_cases).where(*_conditions(wanted)).order_by(*_ORDER)
    if wanted.q.strip():
        query = query.join(_words, _words.c.feedback_id == _cases.c.feedback_id).where(
            _words.c.search.like(pattern(wanted.q.strip()))
        )
    if wanted.cursor:
        query = query.where(tuple_(*_ORDER) > tuple_(*_read_cursor(wanted.cursor)))
    rows = list((await connection.execute(query.limit(wanted.limit + 1))).mappings())
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    return rows, _cursor(rows[-1]) if more else None


async def counts(
    connection: AsyncConnection, wanted: Wanted, queues: tuple[str, ...]
) -> dict[str, str]:
    """How many stand in each queue, as shown."""
    columns = []
    for queue in queues:
        inner = (
            select(true())
            .select_from(_cases)
            .where(_in_scope(wanted.scope), _in_queue(queue, wanted))
            .limit(COUNT_AT_MOST + 1)
            .subquery()
        )
        columns.append(select(func.count()).select_from(inner).scalar_subquery().label(queue))
    if not columns:
        return {}
    row = (await connection.execute(select(*columns))).mappings().one()
    return {q: str(n) if n <= COUNT_AT_MOST else f"{COUNT_AT_MOST}+" for q, n in row.items()}


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [_in_scope(wanted.scope), _in_queue(wanted.queue, wanted)]
    if wanted.state is not None:
        found.append(_cases.c.state == str(wanted.state))
    for column in ("department", "category", "channel"):
        if (value := getattr(wanted, column)) is not None:
            found.append(_cases.c[column] == value)
    return found


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    if scope.department is not None:
        return _cases.c.department == scope.department  # type: ignore[no-any-return]
    if scope.entered_by is not None:
        return and_(_cases.c.entered_by == scope.entered_by, ~_cases.c.confidential)
    return false()


def _in_queue(queue: str, wanted: Wanted) -> ColumnElement[bool]:
    breaks = _cases.c.breaks_at
    is_open = breaks < NOT_OPEN
    match queue:
        case "triage":
            found = _cases.c.state == str(State.TRIAGE)
        case "mine" if wanted.scope.entered_by is not None:
            found = and_(_cases.c.entered_by == wanted.username, is_open)
        case "mine":
            found = and_(_cases.c.assignee == wanted.username, is_open)
        case "department" if wanted.own_department is None:
            found = false()
        case "department":
            found = and_(_cases.c.department == wanted.own_department, is_open)
        case "to_accept":
            found = _cases.c.state == str(State.DISPATCHED)
        case "due_soon":
            found = and_(breaks > wanted.now, breaks <= wanted.now + SOON)
        case "overdue":
            found = breaks <= wanted.now
        case "open":
            found = is_open
        case "today":
            found = and_(breaks > wanted.now, breaks < _tomorrow(wanted.now))
        case "waiting":
            found = _cases.c.state == str(State.WAITING_USER)
        case "review":
            found = _cases.c.state == str(State.IN_REVIEW)
        case _:
            found = true()
    return found  # type: ignore[no-any-return]


def _tomorrow(now: datetime) -> datetime:
    midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _cursor(row: Any) -> str:
    place = [row["breaks_at"].isoformat(), row["received_at"].isoformat(), row["feedback_id"]]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, datetime, str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        breaks, received, feedback_id = json.loads(raw)
        place = datetime.fromisoformat(breaks), datetime.fromisoformat(received), feedback_id
        if place[0].tzinfo is None or place[1].tzinfo is None or not _plain(feedback_id):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError):
        raise Unacceptable(
            "翻页位置无效，请从第一页重新开始。",
            "This cursor cannot be read; please start again from the first page.",
            errors={"cursor": "invalid"},
        ) from None
    return place


def _plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and len(value) < 100
