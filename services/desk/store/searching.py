"""Where the words of a search are looked for: one query for each table that may hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    REAL,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    false,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import UserDefinedType

from services.desk.domain import Scope
from services.desk.domain.visibility import Private
from services.desk.store.scopes import in_scopes, parts_of_scope
from services.desk.store.tables import CaseRow, MeaningRow, MessageRow, PrivateRow, WordsRow
from shared.db.nearest import literal

_cases: Any = CaseRow.__table__
_meanings: Any = MeaningRow.__table__
_words: Any = WordsRow.__table__
_messages: Any = MessageRow.__table__
_private: Any = PrivateRow.__table__


def searches(
    scopes: tuple[Scope, ...], conditions: Sequence[ColumnElement[bool]]
) -> list[Select[Any]]:
    """One query for each place where words may stand: each is one look at one index.

    A code or an id names one case: it is found whatever queue is looked at.
    """
    named = or_(_cases.c.code_hash == bindparam("code"), _cases.c.feedback_id == bindparam("named"))
    words = bindparam("words")
    queries = [
        select(_cases).where(in_scopes(scopes), named),
        select(_cases)
        .join(_words, _words.c.feedback_id == _cases.c.feedback_id)
        .where(
            in_scopes(scopes),
            *conditions,
            or_(*(column.like(words) for column in (_words.c.search, _words.c.search_place))),
        ),
        select(_cases).where(
            in_scopes(scopes),
            *conditions,
            _cases.c.feedback_id.in_(
                select(_messages.c.feedback_id).where(_messages.c.search.like(words))
            ),
        ),
    ]
    for n, scope in enumerate(scopes):
        within = or_(false(), *parts_of_scope(n, scope))
        for column, shown in (
            (_private.c.search_words, scope.words),
            (_private.c.search_person, scope.person),
        ):
            if shown is not Private.NONE:
                queries.append(
                    select(_cases)
                    .join(_private, _private.c.feedback_id == _cases.c.feedback_id)
                    .where(
                        within,
                        *conditions,
                        _is_shown(shown),
                        column.like(bindparam("private")),
                    )
                )
    return queries


def meant(
    scopes: tuple[Scope, ...],
    conditions: Sequence[ColumnElement[bool]],
    stamp: str,
    dimensions: int,
    *,
    indexed: bool,
) -> list[Select[Any]]:
    """The cases that name a thing of a question, and those nearest to it, the nearest first.

    What may be seen is a condition of the look at the index, so that no page is left half empty.
    """
    # Word for word as in the condition and the expression of the index.
    of_model: ColumnElement[bool] = literal_column(f"meanings.model = '{literal(stamp)}'")
    seen = (in_scopes(scopes), *conditions, of_model)
    query = select(_cases).join(_meanings, _meanings.c.feedback_id == _cases.c.feedback_id)
    names = _meanings.c.things.op("&&")(cast(bindparam("things"), ARRAY(String)))
    if not indexed:
        newest = (_cases.c.received_at.desc(), _cases.c.feedback_id)
        return [query.where(*seen, names).order_by(*newest)]
    given = bindparam("vector", type_=ARRAY(REAL))
    apart = literal_column(f"meanings.vector::vector({dimensions})").op("<=>")(
        cast(cast(given, ARRAY(REAL)), _Vector(dimensions))
    )
    query = query.add_columns((1 - apart).label("likeness"))
    return [query.where(*seen, names).order_by(apart), query.where(*seen).order_by(apart)]


class _Vector(UserDefinedType[Any]):
    """The type of the extension, for a cast."""

    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """As it stands in SQL."""
        return f"vector({self.dimensions})"


def _is_shown(shown: Private) -> ColumnElement[bool]:
    """`domain.visibility.Private` for many cases at once."""
    named, open_ = ~_cases.c.anonymous, ~_cases.c.confidential
    match shown:
        case Private.ALL:
            return true()
        case Private.NAMED:
            return named  # type: ignore[no-any-return]
        case Private.OPEN:
            return and_(named, open_)
        case _:
            return false()
