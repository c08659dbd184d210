"""Where the words of a search are looked for: one query for each table that may hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.visitors import replacement_traverse

from services.desk.domain import Scope
from services.desk.domain.promises import rank_not_open
from services.desk.domain.visibility import Private
from services.desk.store.scopes import in_scopes, parts_of_scope
from services.desk.store.tables import (
    DIGITS,
    ONCE,
    CaseRow,
    MessageRow,
    PrivateRow,
    WordsRow,
)
from shared.db import table_of
from shared.ids import made_at

_cases = table_of(CaseRow)
_words = table_of(WordsRow)
_messages = table_of(MessageRow)
_private = table_of(PrivateRow)
KEYS = (_cases.c.next_due_at, _cases.c.received_at, _cases.c.feedback_id)
"""The order of every list."""


PLAN = (
    "SET LOCAL random_page_cost = 1.1; SET LOCAL enable_seqscan = off;"
    " SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL effective_io_concurrency = 0"
)
"""For a search, and counts: all that is asked has an index, and a plan made once for all values
finds it; to make one each time takes longer than most of the answers. By the server's own figures,
those of a disk that turns, a long word is compared with every row instead. Each hit lies on a page
of its own, mostly in the memory of the system: there to have it fetched by another process takes
longer than to fetch it. What no memory has is read one page after another, then."""
IN_ORDER = "SET LOCAL enable_sort = off"
"""For hits up to a rank: they are met in the order of the list, however few a plan expects."""
PLANNED = "SET LOCAL enable_sort = on; SET LOCAL plan_cache_mode = force_custom_plan"
"""For what comes after it: a plan for all words does not know that these stand in so many cases."""


_NUMBER = re.compile(r"[0-9]{3}")
_DIGITS = re.compile(r"[0-9]+")
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


def bounds(most: int) -> dict[str, int]:
    """Numbers of rows, as values of `at_once`, for a page of so many."""
    return {"few": min(MANY, FEW), "some": FEW, "spared": most * SPARE}


def how(letters: str) -> str:
    """How these letters are looked for: what the SQL of a search depends on."""
    if len(letters) < 3:
        return "one" if len(letters) == 1 else "two"
    if _DIGITS.fullmatch(letters):
        return "digits"
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


def at_once(
    scopes: tuple[Scope, ...], conditions: Sequence[ColumnElement[bool]], how: str
) -> CompoundSelect[Any]:
    """The look and the first page of what it finds, in one statement: no ids go there and back.

    The `KEYS` of the first ``most`` hits: of all that stands in few rows, and of public words in
    some of those up to a rank by which there are enough. Where that may not be the page there is
    one row more, whose keys are NULL and whose other columns are what `looks` gives.
    """
    looked = looks(how).cte("looked").prefix_with("MATERIALIZED")
    both = looked.c.words.op("||")(looked.c.messages)
    public = select(both.label("ids")).cte("public").prefix_with("MATERIALIZED")
    shown = _shown_in(scopes, conditions)
    sources = {"words": public.c.ids} | {n: looked.c[n] for n in ("unmasked", "person") if shown[n]}
    nothing = [cast(null(), ARRAY(String)).label(name) for name in SOURCES]
    few = [
        select(*KEYS).where(*seen, _among(case((func.cardinality(ids) <= _FEW, ids))))
        for name, ids in sources.items()
        for seen in shown[name]
    ]
    # A set, and no condition of the index: they are met in its order, and put in none before.
    ((*seen,),) = shown["words"]
    met = _cases.c.feedback_id.in_(select(func.unnest(public.c.ids))).is_(true())
    some = (
        select(*KEYS)
        .where(_cases.c.next_due_at <= _enough(public.c.ids), *seen, met)
        .order_by(*KEYS)
        .limit(_MOST)
        .cte("some_of_many")
        .prefix_with("MATERIALIZED")
    )
    number = {name: select(func.cardinality(i)).scalar_subquery() for name, i in sources.items()}
    filled = select(func.count()).select_from(some).scalar_subquery() >= _MOST
    unsettled = [and_(number.pop("words") > _FEW, ~filled), *(n > _FEW for n in number.values())]
    named = select(*KEYS).where(in_scopes(scopes), _named())
    found = union_all(named, *few, select(*(some.c[key.name] for key in KEYS))).subquery("found")
    # Put in order here: none is sent that is not shown.
    keys = [found.c[key.name] for key in KEYS]
    hits = select(*keys).distinct().order_by(*keys).limit(_MOST).subquery("hits")
    no_case = (cast(null(), key.type).label(key.name) for key in KEYS)
    return union_all(
        select(*(hits.c[key.name] for key in KEYS), *nothing),
        select(*no_case, *(looked.c[name] for name in SOURCES)).where(or_(*unsettled)),
    )


def _among(ids: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a case is one of these ids of a row that stands alone in its table."""
    return _cases.c.feedback_id == func.any(cast(select(ids).scalar_subquery(), ARRAY(String)))


def _enough(ids: ColumnElement[Any]) -> ColumnElement[Any]:
    """What `enough` says of them, in SQL; NULL, too, where they are few or many."""
    one = func.unnest(ids).column_valued("one")
    newest = (
        select(one.label("one"))
        .select_from(ids.table)
        .where(func.cardinality(ids) > _FEW, func.cardinality(ids) <= _SOME)
        .order_by(one.desc())
        .offset(_SPARED)
        .limit(1)
        .subquery("newest")
    )
    return select(literal_column(_RANK)).select_from(newest).scalar_subquery()


_MOST, _FEW, _SOME, _SPARED = (
    bindparam(name, type_=Integer) for name in ("most", "few", "some", "spared")
)
# Later than '0f…' no id was made, and before it no sum leaves what the database knows of time.
_RANK = (
    "CASE WHEN newest.one < '0f' AND newest.one ~ '^[0-9a-f]{8}-[0-9a-f]{4}-' THEN "
    f"timestamptz '{rank_not_open(datetime(1970, 1, 1, tzinfo=UTC)).isoformat()}' - make_interval("
    "secs => ('x' || substr(replace(newest.one, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) END"
)
"""`rank_not_open` of the time that is part of an id, see `shared.ids.made_at`."""


def searches(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    how: str,
    stand: Mapping[str, Stand],
    *,
    several: bool,
) -> list[tuple[Select[Any], Stand]]:
    """One query for each place in which the words `stand`, and one for what they may name; none is
    in order or has an end yet.

    Where they stand in few rows these are known; where in many, cases are looked at in the order of
    the list, until there are enough. With `several` words there may never be: only those are looked
    at that hold one. A code names a case, an id or the beginning of one those that have it: they
    are found whatever queue is looked at.
    """
    found_in = {
        name: _all_in(name, how) if several and rows is Stand.MANY else _found_in(name, how, rows)
        for name, rows in stand.items()
    }
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


def holds_too(scopes: tuple[Scope, ...], n: int, *, in_many: bool) -> ColumnElement[bool]:
    """Whether a case that is found by one word holds the `n`-th of the others, too, in what of it
    is shown; a condition, with the values ``words_n`` and ``private_n``. `in_many`: so many are
    asked that all that hold it are looked up first."""
    found = (
        and_(*seen, _all_in(name, "two") if in_many else _found_in(name, "two", Stand.MANY))
        for name, shown in _shown_in(scopes, ()).items()
        for seen in shown
    )

    def numbered(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key in ("words", "private"):
            return bindparam(f"{element.key}_{n}", type_=element.type)
        return None

    holds: ColumnElement[bool] = replacement_traverse(or_(false(), *found), {}, numbered)
    return holds


def _named() -> ColumnElement[bool]:
    """By its code, or by its id or the beginning of that: a range of one index, looked up on its
    own, since a plan for all words takes a range for a good part of the table."""
    ids = _cases.c.feedback_id
    begin_so = (
        select(ids)
        .where(ids.between(bindparam("named_first"), bindparam("named_last")))
        .order_by(ids.desc())
        .limit(literal_column(str(MANY)))
    )
    return or_(
        _cases.c.code_hash == bindparam("code"),
        ids == func.any(func.array(begin_so.scalar_subquery())),
    )


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


def _all_in(name: str, how: str) -> ColumnElement[bool]:
    table, holds = SOURCES[name]
    return _cases.c.feedback_id.in_(select(table.c.feedback_id).where(holds(how)))


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
    if how in _OF_NUMBERS:
        number = or_(*(_holds_number(column, "digits") for column in columns))
        return number if how == "digits" else and_(number, or_(*map(_holds_by_hand, columns)))
    return or_(*(_holds(column, how) for column in columns))


def _in_messages(how: str) -> ColumnElement[bool]:
    return _holds(_messages.c.search, how)


def _unmasked(how: str) -> ColumnElement[bool]:
    return _holds(_private.c.search_words, how, "private")


def _of_person(how: str) -> ColumnElement[bool]:
    column = _private.c.search_person
    if how in _OF_NUMBERS:
        number = _holds_number(column, "dialled")
        return number if how == "digits" else and_(number, _holds_by_hand(column, "private"))
    if how == "more":
        return literal_column(ONCE.format(column), Text).like(bindparam("once"))
    return _holds(column, how, "private")


_OF_NUMBERS = ("digits", "number")
"""Digits alone stand wherever the index of numbers has them; of a number among other letters it
says where the words may stand."""


def _holds_number(column: Any, digits: str) -> ColumnElement[bool]:
    return literal_column(DIGITS.format(column), Text).like(bindparam(digits))


def _holds_by_hand(column: Any, words: str = "words") -> ColumnElement[bool]:
    """The words as they stand, which no index is asked for: the one of all letters would name half
    of what has any number."""
    return column.op("||")(literal_column("''")).like(bindparam(words))  # type: ignore[no-any-return]


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
