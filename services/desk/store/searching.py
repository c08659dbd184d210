"""Where the words of a search are looked for: one query for each table that may hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    REAL,
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from services.desk.domain import Scope
from services.desk.domain.promises import rank_not_open
from services.desk.domain.visibility import Private
from services.desk.store.scopes import in_scopes, parts_of_scope
from services.desk.store.tables import (
    DIGITS,
    ONCE,
    CaseRow,
    MeaningRow,
    MessageRow,
    PrivateRow,
    WordsRow,
)
from shared.db import table_of
from shared.db.nearest import literal
from shared.ids import made_at

_cases = table_of(CaseRow)
_meanings = table_of(MeaningRow)
_words = table_of(WordsRow)
_messages = table_of(MessageRow)
_private = table_of(PrivateRow)
KEYS = (_cases.c.next_due_at, _cases.c.received_at, _cases.c.feedback_id)
"""The order of every list."""


PLAN = (
    "SET LOCAL random_page_cost = 1.1; SET LOCAL enable_seqscan = off;"
    " SET LOCAL plan_cache_mode = force_generic_plan"
)
"""For a search, and counts: all that is asked has an index, and a plan made once for all values
finds it; to make one each time takes longer than most of the answers. By the server's own figures,
those of a disk that turns, a long word is compared with every row instead."""
IN_ORDER = "SET LOCAL enable_sort = off"
"""For hits up to a rank: they are met in the order of the list, however few a plan expects."""
PLANNED = "SET LOCAL enable_sort = on; SET LOCAL plan_cache_mode = force_custom_plan"
"""For what comes after it: a plan for all words does not know that these stand in so many cases."""


_NUMBER = re.compile(r"[0-9]{3}")
FEW = 800
"""So many hits are put in order faster than as many are met in the order of the list."""
_LOOKED = FEW + 1


MANY = 100
"""So many hits are read to be put in order; of more the newest come first."""
SPARE = 3
"""So many times a page of hits are looked among, since some are not in the list asked for."""
FIRST = 128
"""Cases at the head of the list that are looked through for a letter before its index is asked: one
that many hold fills a page from them, and its index would name all that hold it."""


class Stand(StrEnum):
    """In how many rows of a table the words stand, and so how cases are found by it."""

    FEW = "few"
    SOME = "some"
    """They are known, but too many to be put in order."""
    MANY = "many"


def stand_in(ids: Sequence[str]) -> Stand:
    """In how many rows they stand that `looks` found."""
    if len(ids) > FEW:
        return Stand.MANY
    return Stand.SOME if len(ids) > MANY else Stand.FEW


def enough(known: Mapping[str, Sequence[str]], most: int) -> datetime | None:
    """A rank up to which there are more hits than the page shows, however many there are.

    By the time that is part of their ids; None where there are not so many, or no times in them.
    """
    ids = max(known.values(), key=len)
    if len(ids) <= max(MANY, most * SPARE):
        return None
    made = made_at(sorted(ids)[-most * SPARE - 1])
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
                select(table.c.feedback_id)
                .where(holds(how))
                .limit(literal_column(str(_LOOKED)))
                .scalar_subquery()
            ).label(name)
            for name, (table, holds) in SOURCES.items()
        )
    )


def searches(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    how: str,
    stand: Mapping[str, Stand],
) -> list[tuple[Select[Any], Stand]]:
    """One query for each place in which the words `stand`, and one for what they may name; none is
    in order or has an end yet.

    Where they stand in few rows these are known; where in many, cases are looked at in the order of
    the list, until there are enough. A code or an id names one case: it is found whatever queue is
    looked at.
    """
    found_in = {name: _found_in(name, how, rows) for name, rows in stand.items()}
    queries = [(select(*KEYS).where(in_scopes(scopes), _named()), Stand.FEW)]
    for name, shown in _shown_in(scopes, conditions).items():
        if name in stand:
            queries += [(select(*KEYS).where(*seen, found_in[name]), stand[name]) for seen in shown]
    return queries


def first(
    scopes: tuple[Scope, ...], conditions: Sequence[ColumnElement[bool]], how: str
) -> Select[Any]:
    """The same among the `FIRST` cases of the list of all, in which each is compared."""
    found = [
        and_(*seen, _found_in(name, how, Stand.MANY))
        for name, shown in _shown_in(scopes, conditions).items()
        for seen in shown
    ]
    head = (
        select(*KEYS, or_(false(), *found).label("found"))
        .order_by(*KEYS)
        .limit(FIRST)
        .subquery("head")
    )
    return select(*(head.c[key.name] for key in KEYS)).where(head.c.found)


def _named() -> ColumnElement[bool]:
    code, one = _cases.c.code_hash == bindparam("code"), _cases.c.feedback_id == bindparam("named")
    return or_(code, one)


def _shown_in(
    scopes: tuple[Scope, ...], conditions: Sequence[ColumnElement[bool]]
) -> dict[str, list[tuple[ColumnElement[bool], ...]]]:
    """For each of `SOURCES` of which cases it is asked: what is personal where it is shown."""
    public = (in_scopes(scopes), *conditions)
    found = {"words": [public], "messages": [public], "unmasked": [], "person": []}
    for n, scope in enumerate(scopes):
        within = or_(false(), *parts_of_scope(n, scope))
        for name, shown in (("unmasked", scope.words), ("person", scope.person)):
            if shown is not Private.NONE:
                found[name].append((within, *conditions, _is_shown(shown)))
    return found


def _found_in(name: str, how: str, rows: Stand) -> ColumnElement[bool]:
    if rows is not Stand.MANY:
        ids = bindparam(f"in_{name}", type_=ARRAY(String))
        return _cases.c.feedback_id == func.any(ids)
    table, holds = SOURCES[name]
    # An index of letters is no help here, and costs more than the words to compare with.
    shown = holds(how if how == "more" else "two")
    # One value for each case, and no set of all that hold them, which would be made first.
    of_case = select(true()).where(table.c.feedback_id == _cases.c.feedback_id, shown)
    return of_case.limit(literal_column("1")).scalar_subquery().is_(true())


def _in_words(how: str) -> ColumnElement[bool]:
    columns = (_words.c.search, _words.c.search_place)
    if how == "number":
        return or_(*(_holds_number(column, "digits", "words") for column in columns))
    return or_(*(_holds(column, how) for column in columns))


def _in_messages(how: str) -> ColumnElement[bool]:
    return _holds(_messages.c.search, how)


def _unmasked(how: str) -> ColumnElement[bool]:
    return _holds(_private.c.search_words, how, "private")


def _of_person(how: str) -> ColumnElement[bool]:
    column = _private.c.search_person
    if how == "number":
        return _holds_number(column, "dialled", "private")
    if how == "more":
        return literal_column(ONCE.format(column), Text).like(bindparam("once"))
    return _holds(column, how, "private")


def _holds_number(column: Any, digits: str, words: str) -> ColumnElement[bool]:
    """By the numbers in them, then the words as they stand, which no index is asked for:
    the one of all letters would name half of what has any number."""
    number = literal_column(DIGITS.format(column), Text).like(bindparam(digits))
    return and_(number, column.op("||")(literal_column("''")).like(bindparam(words)))


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
) -> list[Any]:
    """Two statements, of ids, titles and (with `likeness`) how near they are: the cases nearest to
    a question (``near``) and those that name a thing of it (``named``) among the `CLOSEST` of all
    that do, of which it says how many there are (``of``); and those that name it among all, for
    whom these are not enough. Where nothing is indexed, by age: among the latest, and among all.

    What may be seen is a condition of the look at the index, so that no page is left half empty.
    """
    # Word for word as in the condition and the expression of the index.
    of_model: ColumnElement[bool] = literal_column(f"meanings.model = '{literal(stamp)}'")
    seen = (in_scopes(scopes), *conditions, of_model)
    columns = (_cases.c.feedback_id, _cases.c.title)
    names = _meanings.c.things.op("&&")(cast(bindparam("things"), ARRAY(String)))
    query = select(*columns).join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
    most = bindparam("most", type_=Integer)
    if not indexed:
        newest = (_cases.c.received_at.desc(), _cases.c.feedback_id)
        latest = (
            select(_meanings.c.feedback_id)
            .where(of_model, names)
            .order_by(_meanings.c.feedback_id.desc())
            .limit(CLOSEST)
            .subquery("latest")
        )
        lately = (
            select(*columns)
            .join(latest, latest.c.feedback_id == _cases.c.feedback_id)
            .where(in_scopes(scopes), *conditions)
        )
        ever = query.where(*seen, names)
        return [look.order_by(*newest).limit(most) for look in (lately, ever)]
    given = cast(bindparam("vector", type_=ARRAY(REAL)), ARRAY(REAL))
    # Made a vector once, and not for each row.
    asked: ColumnElement[Any] = select(cast(given, _Vector(dimensions))).scalar_subquery()
    apart = literal_column(f"meanings.vector::halfvec({dimensions})").op("<=>")(asked)
    # Plus nothing, so that the index of vectors is not gone through for what few of them name.
    by_hand = apart.op("+")(literal_column("0"))
    # The order of these is the order asked for: no more rows of cases are read than are shown.
    closest = (
        select(_meanings.c.feedback_id, by_hand.label("apart"))
        .where(of_model, names)
        .order_by(by_hand)
        .limit(CLOSEST)
        .cte("closest")
        .prefix_with("MATERIALIZED")
    )

    def those(kind: str, likeness: Any) -> Any:
        return select(literal_column(f"'{kind}'").label("kind"), *columns, likeness)

    near = (
        those("near", (1 - apart).label("likeness"))
        .join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
        .where(*seen)
        .order_by(apart)
        .limit(most)
    )
    among = (
        those("named", (1 - closest.c.apart).label("likeness"))
        .join(closest, closest.c.feedback_id == _cases.c.feedback_id)
        .where(in_scopes(scopes), *conditions)
        .order_by(closest.c.apart)
        .limit(most)
    )
    nothing: tuple[Any, Any] = (literal_column("NULL"), literal_column("NULL"))
    number = select(literal_column("'of'"), *nothing, func.count()).select_from(closest)
    all_of_them = (
        query.add_columns((1 - apart).label("likeness"))
        .where(*seen, names)
        .order_by(by_hand)
        .limit(most)
    )
    return [union_all(near, among, number), all_of_them]


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
