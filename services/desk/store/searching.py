"""Where the words of a search are looked for: one query for each table that may hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select, true

from services.desk.domain import Scope
from services.desk.domain.visibility import Private
from services.desk.store.scopes import in_scopes, parts_of_scope
from services.desk.store.tables import CaseRow, MessageRow, PrivateRow, WordsRow

_cases: Any = CaseRow.__table__
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
