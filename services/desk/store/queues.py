"""Queues: what breaks first on top, one page at a time, in one look at one index."""

from __future__ import annotations

import base64
import binascii
import json
import operator
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache, reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain import Scope
from services.desk.domain.promises import NOT_OPEN, SOON
from services.desk.domain.search import (
    as_dialled,
    fold,
    number,
    pattern,
    pattern_once,
    pattern_private,
    words_of,
)
from services.desk.store import near
from services.desk.store.looks import OWN, Wanted, in_queue, looks_of
from services.desk.store.meanings import GO_ON
from services.desk.store.scopes import part_value, parts_of
from services.desk.store.searching import (
    IN_ORDER,
    KEYS,
    PLAN,
    PLANNED,
    SOURCES,
    Stand,
    at_once,
    bounds,
    enough,
    first,
    holds_too,
    how,
    looks,
    searches,
    stand_in,
)
from services.desk.store.tables import CaseRow
from shared.contracts.refusal import Unacceptable
from shared.db import table_of
from shared.db.compiled import Compiled
from shared.db.engine import driver_of, reading
from shared.ids import ids_as_typed
from shared.moments import LOCAL
from shared.security import code_hash, code_in

COUNT_AT_MOST = 99
"""A longer queue is shown as ``99+``: nobody works by the exact number, and it stays cheap."""

_cases = table_of(CaseRow)
_due_at = _cases.c.next_due_at
_MOST = bindparam("most", type_=Integer)


@dataclass(frozen=True, slots=True)
class Question:
    """What the words of a search mean: the things they name, and their vector."""

    text: str
    things: tuple[str, ...]
    vector: tuple[float, ...]
    stamp: str
    indexed: bool
    """Whether the database knows vectors; without, the things alone are asked for."""
    late: bool = False
    """Nobody said in time what they mean."""


NEARBY = 30
"""Cases that are looked at for what they mean, by each of the two."""


def looking(connection: AsyncConnection, *, by_meaning: bool) -> AbstractAsyncContextManager[None]:
    """What a search and `counts` are asked within, on a connection that has no transaction."""
    return reading(connection, f"{PLAN}; {GO_ON}" if by_meaning else PLAN)


async def meant(
    connection: AsyncConnection, wanted: Wanted, question: Question
) -> list[list[Mapping[str, Any]]]:
    """Ids and titles of cases of the list that mean what is asked for, in two orders: by the things
    that both name, and (with `likeness`, the cosine) by nearness."""
    values = _values(wanted) | {
        "things": list(question.things),
        "vector": list(question.vector),
        "most": NEARBY,
    }
    looks = _meant(_shape(wanted), question.stamp, len(question.vector), question.indexed)
    rows = await looks[0].fetch(connection, values)
    if not question.indexed:
        return [list(rows if len(rows) >= NEARBY else await looks[1].fetch(connection, values))]
    found: dict[str, list[Mapping[str, Any]]] = {"near": [], "named": [], "of": []}
    for row in rows:
        found[row["kind"]].append(row)
    if len(found["named"]) < NEARBY and found["of"][0]["likeness"] >= near.CLOSEST:
        found["named"] = list(await looks[1].fetch(connection, values))
    return [found["named"], found["near"]]


@lru_cache(maxsize=200)
def _meant(shape: Wanted, stamp: str, dimensions: int, indexed: bool) -> list[Compiled]:
    looks = near.meant(shape.scopes, _conditions(shape), stamp, dimensions, indexed=indexed)
    return [Compiled(query) for query in looks]


async def page(
    connection: AsyncConnection, wanted: Wanted
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The rows of one page of a list, and the cursor of the next."""
    rows = await _page(_shape(wanted)).fetch(connection, _values(wanted))
    return _cut(_in_order(rows), wanted)


async def hits(
    connection: AsyncConnection, wanted: Wanted
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The ids of one page of a search by words, and the cursor of the next."""
    values, shape, most = _values(wanted), _shape(wanted), wanted.limit + 1
    if shape.q == "one" and not wanted.cursor:
        rows = _in_order(await _first(shape).fetch(connection, values))
        if len(rows) >= most:
            return _cut(rows, wanted)
    asked = _looks(_how(shape)) if wanted.cursor else _at_once(shape)
    rows = await asked.fetch(connection, values)
    looked = next((row for row in rows if wanted.cursor or row["feedback_id"] is None), None)
    if looked is None:
        return _cut(_in_order(rows), wanted)
    if len(words_of(wanted.q)) > 1 and _many(looked):
        words, looked = await _rarest_first(connection, words_of(wanted.q), looked)
        values |= _values_of(words)
        shape = replace(shape, q=_hows(words))
    # In the order in which an index has them.
    known = {name: sorted(looked[name]) for name in SOURCES}
    values |= {f"in_{name}": ids for name, ids in known.items()}
    stand = tuple((name, stand_in(ids)) for name, ids in known.items() if ids)
    if (until := enough(known, most)) and not wanted.cursor:
        await driver_of(connection).execute(IN_ORDER)
        found = _hits(shape, stand, bounded=True)
        rows = _in_order(await found.fetch(connection, values | {"until": until}))
        # Not always are so many of them in this list.
        if len(rows) >= most and rows[wanted.limit]["next_due_at"] <= until:
            return _cut(rows, wanted)
    if any(rows is not Stand.FEW for _, rows in stand):
        await driver_of(connection).execute(PLANNED)
    return _cut(_in_order(await _hits(shape, stand).fetch(connection, values)), wanted)


async def _rarest_first(
    connection: AsyncConnection, words: tuple[str, ...], looked: Mapping[str, Any]
) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """These words with one first that stands in few rows, if there is one, and where it stands;
    `looked`: where the first of them does, which is in many."""
    for word in words[1:]:
        (found,) = await _looks(how(fold(word))).fetch(connection, _values_of((word,)))
        if not _many(found):
            return (word, *(one for one in words if one != word)), found
    return words, looked


def _many(looked: Mapping[str, Any]) -> bool:
    return any(stand_in(looked[name]) is Stand.MANY for name in SOURCES)


def _cut(
    rows: list[Mapping[str, Any]], wanted: Wanted
) -> tuple[list[Mapping[str, Any]], str | None]:
    shown = rows[: wanted.limit]
    return shown, _cursor(shown[-1]) if len(rows) > len(shown) else None


async def some(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The rows of these cases, by id."""
    rows = await _SOME.fetch(connection, {"ids": list(ids)}) if ids else []
    return {row["feedback_id"]: row for row in rows}


_SOME = Compiled(
    select(_cases).where(_cases.c.feedback_id == func.any(bindparam("ids", type_=ARRAY(String))))
)


def _in_order(found: Sequence[Any]) -> list[Mapping[str, Any]]:
    return sorted({row["feedback_id"]: row for row in found}.values(), key=_sort_key)


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
        q=_hows(words_of(wanted.q)),
        cursor=_given(wanted.cursor or None),
        limit=0,
    )


def _hows(words: tuple[str, ...]) -> str:
    """How the first of them is looked for, and that others have to stand there, too."""
    lead, *others = words
    return " ".join([how(fold(lead)), *("too" for _ in others)]) if lead else ""


def _how(shape: Wanted) -> str:
    return shape.q.split()[0]


def _searched(shape: Wanted, *, in_many: bool = False) -> list[ColumnElement[bool]]:
    others = range(1, len(shape.q.split()))
    return _conditions(shape) + [holds_too(shape.scopes, n, in_many=in_many) for n in others]


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
        "tonight": _tonight(wanted.now),
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
    if q := wanted.q.strip():
        named = ids_as_typed(fold(q).strip())
        values |= {
            "code": code_hash(code_in(q)),
            "named_first": named[0],
            "named_last": named[1],
            **_values_of(words_of(q)),
            **bounds(wanted.limit + 1),
        }
    return values


def _values_of(words: tuple[str, ...]) -> dict[str, Any]:
    lead, *others = words
    values: dict[str, Any] = {
        "words": pattern(lead),
        "private": pattern_private(lead),
        "once": pattern_once(lead),
        "digits": number(lead),
        "dialled": number(as_dialled(lead)),
        "letter": [fold(lead)],
    }
    for n, word in enumerate(others, 1):
        values |= {f"words_{n}": pattern(word), f"private_{n}": pattern_private(word)}
    return values


@cache
def _looks(how: str) -> Compiled:
    return Compiled(looks(how))


@lru_cache(maxsize=500)
def _page(shape: Wanted) -> Compiled:
    """All looks in one statement; what two of them find comes twice."""
    queries = [
        _one_page(select(_cases).where(part, look, *_narrowed(shape)), shape)
        for look in looks_of(shape.queue, shape)
        for part in _parts(shape.queue, shape)
    ]
    return Compiled(union_all(*queries) if queries else select(_cases).where(false()))


@lru_cache(maxsize=100)
def _at_once(shape: Wanted) -> Compiled:
    """The first page of a search, or where its words stand."""
    return Compiled(at_once(shape.scopes, _searched(shape), _how(shape)))


@lru_cache(maxsize=100)
def _first(shape: Wanted) -> Compiled:
    """Found at the head of the list."""
    return Compiled(first(shape.scopes, _searched(shape), _how(shape)).limit(_MOST))


@lru_cache(maxsize=500)
def _hits(
    shape: Wanted, stand: tuple[tuple[str, Stand], ...], *, bounded: bool = False
) -> Compiled:
    """The same for a search. `bounded`: up to a rank."""
    in_many = any(rows is Stand.MANY for _, rows in stand)
    conditions = _searched(shape, in_many=in_many)
    if bounded:
        conditions.append(_due_at <= bindparam("until", type_=_due_at.type))
    several = " " in shape.q
    found = searches(shape.scopes, conditions, _how(shape), dict(stand), several=several)
    # Few need no order: it would be looked for in an index of all.
    return Compiled(
        union_all(
            *(
                query.where(_after(shape)) if rows is Stand.FEW else _one_page(query, shape)
                for query, rows in found
            )
        )
    )


def _one_page(query: Select[Any], shape: Wanted) -> Select[Any]:
    return query.where(_after(shape)).order_by(*KEYS).limit(_MOST)


def _after(shape: Wanted) -> ColumnElement[bool]:
    if not shape.cursor:
        return true()
    names = zip(("due", "received", "id"), KEYS, strict=True)
    return tuple_(*KEYS) > tuple_(*(bindparam(n, type_=c.type) for n, c in names))


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
    most = COUNT_AT_MOST + 1
    columns: list[ColumnElement[int]] = []
    for queue in queues:
        seen = or_(false(), *_parts(queue, shape))
        counted: list[ColumnElement[int]] = [
            select(func.count())
            .select_from(
                select(true()).select_from(_cases).where(seen, look).limit(most).subquery()
            )
            .scalar_subquery()
            for look in looks_of(queue, shape)
        ]
        columns.append(reduce(operator.add, counted, literal_column("0")).label(queue))
    return Compiled(select(*columns))


def _parts(queue: str, shape: Wanted) -> list[ColumnElement[bool]]:
    """What may be seen of a queue, each part by an index of its own; of the own department's
    whoever sees all of it needs no other."""
    whole = any(scope.everything or scope.department == OWN for scope in shape.scopes)
    return [true()] if queue == "department" and whole else parts_of(shape.scopes)


def _conditions(shape: Wanted) -> list[ColumnElement[bool]]:
    return [in_queue(shape.queue, shape), *_narrowed(shape)]


def _narrowed(shape: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column in ("state", "department", "category", "channel"):
        if getattr(shape, column) is not None:
            found.append(_cases.c[column] == bindparam(column))
    return found


def _tonight(now: datetime) -> datetime:
    midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1, microseconds=-1)


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
