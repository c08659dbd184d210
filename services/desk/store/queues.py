"""Queues: what breaks first on top, one page at a time, in one look at one index."""

from __future__ import annotations

import base64
import binascii
import json
import operator
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache, reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain import Scope
from services.desk.domain.case import Asked
from services.desk.domain.promises import NOT_OPEN, ON_TOP, SOON
from services.desk.domain.search import fold, pattern, pattern_once, pattern_private, phrase
from services.desk.store.late import overdue
from services.desk.store.meanings import GO_ON
from services.desk.store.scopes import has_part, in_scopes, part_value, parts_of
from services.desk.store.searching import FEW, PLAN, how, looks, searches
from services.desk.store.searching import meant as meanings
from services.desk.store.tables import CaseRow, MentionRow
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import ENDED, State
from shared.db.compiled import Compiled
from shared.db.engine import driver_of
from shared.ids import id_as_typed
from shared.moments import LOCAL
from shared.security import code_hash, code_in

QUEUES = (
    "alarm",
    "triage",
    "mine",
    "mentioned",
    "department",
    "to_accept",
    "due_soon",
    "overdue",
    "owed",
    "reasons",
    "waiting",
    "review",
    "escalated",
    "extensions",
    "appeals",
    "open",
    "today",
    "all",
)
OWN = "own"
"""The department of a scope that is the one of who asks."""
COUNT_AT_MOST = 500
"""A longer queue is shown as ``500+``: nobody works by the exact number, and it stays cheap."""

_cases: Any = CaseRow.__table__
_mentions: Any = MentionRow.__table__
_UNEXPLAINED = sorted(str(state) for state in ENDED - {State.CLOSED})
_owed = _cases.c.words_owed_since.is_not(None)
_ORDER = (_cases.c.next_due_at, _cases.c.received_at, _cases.c.feedback_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for; `accounts` are that of the person asking, and those of whom they
    stand in for."""

    scopes: tuple[Scope, ...]
    accounts: tuple[str, ...]
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


@dataclass(frozen=True, slots=True)
class Question:
    """What the words of a search mean: the things they name, and their vector."""

    text: str
    things: tuple[str, ...]
    vector: tuple[float, ...]
    stamp: str
    indexed: bool
    """Whether the database knows vectors; without, the things alone are asked for."""


NEARBY = 30
"""Cases that are looked at for what they mean, by each of the two."""


async def meant(
    connection: AsyncConnection, wanted: Wanted, question: Question
) -> list[list[Mapping[str, Any]]]:
    """Cases of the list that mean what is asked for, in two orders: by the things that both name,
    and (with `likeness`, the cosine) by nearness."""
    values = _values(wanted) | {
        "things": list(question.things),
        "vector": list(question.vector),
        "most": NEARBY,
    }
    looks = _meant(_shape(wanted), question.stamp, len(question.vector), question.indexed)
    driver = driver_of(connection)
    async with driver.transaction():
        if question.indexed:
            await driver.execute(GO_ON)
        if len(looks) == 1:
            return [list(await looks[0].fetch(connection, values))]
        near, among, all_of_them = looks
        nearest = list(await near.fetch(connection, values))
        if not question.things:
            return [[], nearest]
        named = list(await among.fetch(connection, values))
        if len(named) < NEARBY:
            named = list(await all_of_them.fetch(connection, values))
        return [named, nearest]


@lru_cache(maxsize=200)
def _meant(shape: Wanted, stamp: str, dimensions: int, indexed: bool) -> list[Compiled]:
    most = bindparam("most", type_=Integer)
    found = meanings(shape.scopes, _conditions(shape), stamp, dimensions, indexed=indexed)
    return [Compiled(query.limit(most)) for query in found]


async def page(
    connection: AsyncConnection, wanted: Wanted
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The rows of one page, and the cursor of the next."""
    found: dict[str, Mapping[str, Any]] = {}
    values, shape = _values(wanted), _shape(wanted)
    driver = driver_of(connection)
    async with driver.transaction() if shape.q else nullcontext():
        stand: tuple[tuple[str, bool], ...] = ()
        if shape.q:
            await driver.execute(PLAN)
            (known,) = await _looks(shape.q).fetch(connection, values)
            values |= {f"in_{name}": ids for name, ids in known.items()}
            stand = tuple((name, len(ids) <= FEW) for name, ids in known.items() if ids)
        for statement in _pages(shape, stand):
            for row in await statement.fetch(connection, values):
                found[row["feedback_id"]] = row
    rows = sorted(found.values(), key=_sort_key)
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    return rows, _cursor(rows[-1]) if more else None


def _shape(wanted: Wanted) -> Wanted:
    """What the SQL of a list depends on; values stand in it as their names."""
    return replace(
        wanted,
        scopes=tuple(
            replace(s, department=_whose(s, wanted), entered_by=_given(s.entered_by))
            for s in wanted.scopes
        ),
        accounts=wanted.accounts[:0] if len(wanted.accounts) == 1 else ("several",),
        own_department=_given(wanted.own_department),
        now=NOT_OPEN,
        state=_given(wanted.state),
        department=_given(wanted.department),
        category=_given(wanted.category),
        channel=_given(wanted.channel),
        q=how(fold(words)) if (words := wanted.q.strip()) else "",
        cursor=_given(wanted.cursor or None),
        limit=0,
    )


def _whose(scope: Scope, wanted: Wanted) -> str | None:
    own = scope.department is not None and scope.department == wanted.own_department
    return OWN if own else _given(scope.department)


def _given(value: str | None) -> Any:
    return None if value is None else "given"


def _values(wanted: Wanted) -> dict[str, Any]:
    """What stands for the names in the statements."""
    values: dict[str, Any] = {
        "username": wanted.accounts[0],
        "accounts": list(wanted.accounts),
        "own_department": wanted.own_department,
        "own_part": part_value(wanted.own_department),
        "now": wanted.now,
        "soon": wanted.now + SOON,
        "tomorrow": _tomorrow(wanted.now),
        "state": wanted.state and str(wanted.state),
        "department": wanted.department,
        "category": wanted.category,
        "channel": wanted.channel,
        "most": wanted.limit + 1,
    }
    for n, scope in enumerate(wanted.scopes):
        values |= {
            f"department_{n}": scope.department,
            f"part_{n}": part_value(scope.department),
            f"entered_{n}": scope.entered_by,
        }
    if wanted.cursor:
        values["due"], values["received"], values["id"] = _read_cursor(wanted.cursor)
    if words := wanted.q.strip():
        values |= {
            "code": code_hash(code_in(words)),
            "named": id_as_typed(fold(words).strip()),
            "words": pattern(words),
            "private": pattern_private(words),
            "once": pattern_once(words),
            "phrase": phrase(words),
            "letter": [fold(words)],
        }
    return values


@cache
def _looks(how: str) -> Compiled:
    return Compiled(looks(how))


@lru_cache(maxsize=500)
def _pages(shape: Wanted, stand: tuple[tuple[str, bool], ...]) -> list[Compiled]:
    queries = (
        searches(shape.scopes, _conditions(shape), shape.q, dict(stand))
        if shape.q
        else [
            select(_cases).where(look, *_narrowed(shape))
            for look in _of_own_department(shape.queue, shape)
            or [and_(part, _in_queue(shape.queue, shape)) for part in parts_of(shape.scopes)]
        ]
    )
    after: ColumnElement[bool] = true()
    if shape.cursor:
        names = zip(("due", "received", "id"), _ORDER, strict=True)
        after = tuple_(*_ORDER) > tuple_(*(bindparam(n, type_=c.type) for n, c in names))
    most = bindparam("most", type_=Integer)
    return [Compiled(query.where(after).order_by(*_ORDER).limit(most)) for query in queries]


async def counts(
    connection: AsyncConnection, wanted: Wanted, queues: tuple[str, ...]
) -> dict[str, str]:
    """How many stand in each queue, as shown."""
    if not queues:
        return {}
    (row,) = await _counts(_shape(wanted), queues).fetch(connection, _values(wanted))
    return {q: str(n) if n <= COUNT_AT_MOST else f"{COUNT_AT_MOST}+" for q, n in row.items()}


@lru_cache(maxsize=500)
def _counts(shape: Wanted, queues: tuple[str, ...]) -> Compiled:
    columns = []
    for queue in queues:
        looks = _of_own_department(queue, shape) or [
            and_(in_scopes(shape.scopes), _in_queue(queue, shape))
        ]
        counted = [
            select(func.count())
            .select_from(
                select(true()).select_from(_cases).where(look).limit(COUNT_AT_MOST + 1).subquery()
            )
            .scalar_subquery()
            for look in looks
        ]
        columns.append(reduce(operator.add, counted).label(queue))
    return Compiled(select(*columns))


def _of_own_department(queue: str, shape: Wanted) -> list[ColumnElement[bool]]:
    """The department's queue as two looks at one index each, for whoever sees all of it.

    A department leads a case or has a part in it, never both.
    """
    whole = any(scope.everything or scope.department == OWN for scope in shape.scopes)
    if queue != "department" or shape.own_department is None or not whole:
        return []
    is_open = _cases.c.next_due_at < NOT_OPEN
    leads = _cases.c.department == bindparam("own_department")
    return [and_(leads, is_open), and_(has_part("own_part"), is_open)]


def _conditions(shape: Wanted) -> list[ColumnElement[bool]]:
    return [_in_queue(shape.queue, shape), *_narrowed(shape)]


def _narrowed(shape: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column in ("state", "department", "category", "channel"):
        if getattr(shape, column) is not None:
            found.append(_cases.c[column] == bindparam(column))
    return found


def _in_queue(queue: str, shape: Wanted) -> ColumnElement[bool]:
    due = _cases.c.next_due_at
    is_open = due < NOT_OPEN
    now: ColumnElement[Any] = bindparam("now")
    match queue:
        case "triage":
            # Words after an answer of the office itself: no department has them.
            found = or_(
                _cases.c.state == str(State.TRIAGE),
                and_(_owed, _cases.c.department.is_(None)),
            )
        case "owed":
            found = _owed
        case "reasons":
            # What ended otherwise than by an answer is not explained any more.
            found = and_(
                _cases.c.reasons_owed != literal_column("'[]'::jsonb"),
                _cases.c.department.is_not(None),
                *(_cases.c.state != state for state in _UNEXPLAINED),
            )
        case "mine" if any(scope.entered_by is not None for scope in shape.scopes):
            mine = or_(_is_mine(_cases.c.entered_by, shape), _is_mine(_cases.c.assignee, shape))
            found = and_(mine, is_open)
        case "mine":
            found = and_(_is_mine(_cases.c.assignee, shape), is_open)
        case "mentioned":
            me = _is_mine(_mentions.c.username, shape)
            found = _cases.c.feedback_id.in_(select(_mentions.c.feedback_id).where(me))
        case "department" if shape.own_department is None:
            found = false()
        case "department":
            own = _cases.c.department == bindparam("own_department")
            found = and_(or_(own, has_part("own_part")), is_open)
        case "to_accept":
            found = _cases.c.state == str(State.DISPATCHED)
        case "due_soon":
            found = and_(due > now, due <= bindparam("soon"))
        case "overdue":
            found = overdue(now)
        case "open":
            found = is_open
        case "today":
            found = and_(due > now, due < bindparam("tomorrow"))
        case "waiting":
            state = _cases.c.state
            found = or_(state == str(State.WAITING_USER), state == str(State.WAITING_EXTERNAL))
        case "appeals":
            found = _cases.c.state == str(State.APPEALED)
        case "alarm":
            # Bounded as in its index: what was answered ranks by its promises again.
            found = due < ON_TOP
        case "escalated":
            found = and_(_cases.c.escalated != literal_column("'[]'::jsonb"), is_open)
        case "extensions":
            asked = _cases.c.extension["state"].astext == str(Asked.PENDING)
            found = and_(asked, is_open)
        case "review":
            found = _cases.c.state == str(State.IN_REVIEW)
        case _:
            found = true()
    return found  # type: ignore[no-any-return]


def _is_mine(column: Any, shape: Wanted) -> ColumnElement[bool]:
    """Mine, or of somebody for whom I stand in. Of one account an index gives the order, too."""
    if not shape.accounts:
        return column == bindparam("username")  # type: ignore[no-any-return]
    return column == func.any(bindparam("accounts", type_=ARRAY(String)))  # type: ignore[no-any-return]


def _tomorrow(now: datetime) -> datetime:
    midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _sort_key(row: Any) -> tuple[datetime, datetime, str]:
    return row["next_due_at"], row["received_at"], row["feedback_id"]


def _cursor(row: Any) -> str:
    due, received, feedback_id = _sort_key(row)
    sort_key = [due.isoformat(), received.isoformat(), feedback_id]
    return base64.urlsafe_b64encode(json.dumps(sort_key).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, datetime, str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        due, received, feedback_id = json.loads(raw)
        sort_key = datetime.fromisoformat(due), datetime.fromisoformat(received), feedback_id
        if sort_key[0].tzinfo is None or sort_key[1].tzinfo is None or not _plain(feedback_id):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError):
        raise Unacceptable(
            "翻页位置无效，请从第一页重新开始。",
            "This cursor cannot be read; please start again from the first page.",
            errors={"cursor": "invalid"},
        ) from None
    return sort_key


def _plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and len(value) < 100
