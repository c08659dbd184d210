"""Where the words of a search are looked for: one query for each table that may hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    REAL,
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from services.desk.domain import Scope
from services.desk.domain.promises import rank_not_open
from services.desk.domain.visibility import Private
from services.desk.store.scopes import in_scopes, parts_of_scope
from services.desk.store.tables import ONCE, CaseRow, MeaningRow, MessageRow, PrivateRow, WordsRow
from shared.db import table_of
from shared.db.nearest import literal
from shared.ids import made_at

_cases = table_of(CaseRow)
_meanings = table_of(MeaningRow)
_words = table_of(WordsRow)
_messages = table_of(MessageRow)
_private = table_of(PrivateRow)


PLAN = (
    "SELECT set_config('random_page_cost', '1.1', true),"
    " set_config('max_parallel_workers_per_gather', '0', true),"
    " set_config('enable_seqscan', 'off', true)"
)
"""For a transaction: all that is asked has an index. By the server's own figures, those of a disk
that turns, a long word is compared with every row instead."""
PLAN_FOR_MANY = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"
"""For what comes after it: a plan for all words does not know that these stand in so many cases."""


_NUMBER = re.compile(r"\d{3}")
FEW = 800
"""So many hits are put in order faster than as many are met in the order of the list."""


MANY = 100
"""As many hits are read to be put in order; of more the newest come first."""
SPARE = 3
"""So many times a page of hits are looked among, since some are not in the list asked for."""


def enough(known: Mapping[str, Sequence[str]], most: int) -> datetime | None:
    """A rank up to which there are more hits than the page shows, however many there are.

    By the time that is part of their ids; None where there are not so many, or no times in them.
    """
    ids = max(known.values(), key=len)
    if len(ids) <= max(MANY, most * SPARE):
        return None
    made = made_at(sorted(ids, reverse=True)[most * SPARE])
    try:
        return made and rank_not_open(made)
    except OverflowError:
        return None


def how(letters: str) -> str:
    """How these letters are looked for: what the SQL of a search depends on."""
    if len(letters) < 3:
        return "one" if len(letters) == 1 else "two"
    return "number" if _NUMBER.search(letters) else "more"


def looks(how: str) -> Select[Any]:
    """The cases whose words hold the letters, for each of `SOURCES`; no more than `FEW` and one."""
    return select(
        *(
            func.array(
                select(table.c.feedback_id).where(holds(how)).limit(FEW + 1).scalar_subquery()
            ).label(name)
            for name, (table, holds) in SOURCES.items()
        )
    )


def searches(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    how: str,
    stand: Mapping[str, bool],
) -> list[Select[Any]]:
    """One query for each place in which the words `stand`, and one for what they may name.

    Where they stand in few rows (`stand` is true) these are known; else cases are looked at in the
    order of the list, until there are enough. A code or an id names one case: it is found whatever
    queue is looked at.
    """
    named = or_(_cases.c.code_hash == bindparam("code"), _cases.c.feedback_id == bindparam("named"))

    def found_in(name: str) -> ColumnElement[bool]:
        if stand[name]:
            ids = bindparam(f"in_{name}", type_=ARRAY(String))
            return _cases.c.feedback_id == func.any(ids)
        table, holds = SOURCES[name]
        # An index of letters is no help here, and costs more than the words to compare with.
        shown = holds(how if how == "more" else "two")
        return exists().where(table.c.feedback_id == _cases.c.feedback_id, shown)

    queries = [select(_cases).where(in_scopes(scopes), named)]
    queries += [
        select(_cases).where(in_scopes(scopes), *conditions, found_in(name))
        for name in ("words", "messages")
        if name in stand
    ]
    for n, scope in enumerate(scopes):
        within = or_(false(), *parts_of_scope(n, scope))
        for name, shown in (("unmasked", scope.words), ("person", scope.person)):
            if name in stand and shown is not Private.NONE:
                seen = (within, *conditions, _is_shown(shown))
                queries.append(select(_cases).where(*seen, found_in(name)))
    return queries


def _in_words(how: str) -> ColumnElement[bool]:
    columns = (_words.c.search, _words.c.search_place)
    if how == "number":
        return or_(*(_holds_once(column, "phrase") for column in columns))
    return or_(*(_holds(column, how) for column in columns))


def _in_messages(how: str) -> ColumnElement[bool]:
    return _holds(_messages.c.search, how)


def _unmasked(how: str) -> ColumnElement[bool]:
    return _holds(_private.c.search_words, how, "private")


def _of_person(how: str) -> ColumnElement[bool]:
    column = _private.c.search_person
    if how in ("more", "number"):
        return _holds_once(column, "once")
    return _holds(column, how, "private")


def _holds_once(column: Any, words: str) -> ColumnElement[bool]:
    return literal_column(ONCE.format(column), Text).like(bindparam(words))


def _holds(column: Any, how: str, words: str = "words") -> ColumnElement[bool]:
    """Whether the words stand in what is findable; word for word the expression of an index."""
    if how == "one":
        letters: Any = literal_column(f"string_to_array({column}, NULL)", ARRAY(Text))
        return letters.contains(bindparam("letter", type_=ARRAY(Text)))  # type: ignore[no-any-return]
    return column.like(bindparam(words))  # type: ignore[no-any-return]


SOURCES: dict[str, tuple[Any, Callable[[str], ColumnElement[bool]]]] = {
    "words": (_words, _in_words),
    "messages": (_messages, _in_messages),
    "unmasked": (_private, _unmasked),
    "person": (_private, _of_person),
}
"""Tables that hold words, and what says that a row has those of a search."""


CLOSEST = 500
"""A thing that many cases name is looked up for these; the rows of cases are read for no more."""


def meant(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    stamp: str,
    dimensions: int,
    *,
    indexed: bool,
) -> list[Select[Any]]:
    """The cases nearest to a question, then those that name a thing of it, the nearest first: among
    the `CLOSEST` of all, which is quick, and among all, for whom these are not enough.

    What may be seen is a condition of the look at the index, so that no page is left half empty.
    """
    # Word for word as in the condition and the expression of the index.
    of_model: ColumnElement[bool] = literal_column(f"meanings.model = '{literal(stamp)}'")
    seen = (in_scopes(scopes), *conditions, of_model)
    query = select(_cases).join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
    names = _meanings.c.things.op("&&")(cast(bindparam("things"), ARRAY(String)))
    if not indexed:
        newest = (_cases.c.received_at.desc(), _cases.c.feedback_id)
        latest = (
            select(_meanings.c.feedback_id)
            .where(of_model, names)
            .order_by(_meanings.c.feedback_id.desc())
            .limit(CLOSEST)
            .subquery("latest")
        )
        among = (
            select(_cases)
            .join(latest, latest.c.feedback_id == _cases.c.feedback_id)
            .where(in_scopes(scopes), *conditions)
        )
        return [among.order_by(*newest), query.where(*seen, names).order_by(*newest)]
    given = bindparam("vector", type_=ARRAY(REAL))
    apart = literal_column(f"meanings.vector::halfvec({dimensions})").op("<=>")(
        cast(cast(given, ARRAY(REAL)), _Vector(dimensions))
    )
    # Plus nothing, so that the index of vectors is not gone through for what few of them name.
    by_hand = apart.op("+")(literal_column("0"))
    # The order of these is the order asked for: no more rows of cases are read than are shown.
    closest = (
        select(_meanings.c.feedback_id, by_hand.label("apart"))
        .where(of_model, names)
        .order_by(by_hand)
        .limit(CLOSEST)
        .subquery("closest")
    )
    among = (
        select(_cases, (1 - closest.c.apart).label("likeness"))
        .join(closest, closest.c.feedback_id == _cases.c.feedback_id)
        .where(in_scopes(scopes), *conditions)
        .order_by(closest.c.apart)
    )
    query = query.add_columns((1 - apart).label("likeness"))
    return [
        query.where(*seen).order_by(apart),
        among,
        query.where(*seen, names).order_by(by_hand),
    ]


class _Vector(UserDefinedType[Any]):
    """The type of the extension, for a cast."""

    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """As it stands in SQL."""
        return f"halfvec({self.dimensions})"


def _is_shown(shown: Private) -> ColumnElement[bool]:
    """`domain.visibility.Private` for many cases at once."""
    named, open_ = ~_cases.c.anonymous, ~_cases.c.confidential
    match shown:
        case Private.ALL:
            return true()
        case Private.NAMED:
            return named
        case Private.OPEN:
            return and_(named, open_)
        case _:
            return false()
