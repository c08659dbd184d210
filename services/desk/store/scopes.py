"""What somebody may see, as conditions on the rows of cases."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, literal_column, or_, true
from sqlalchemy.dialects.postgresql import JSONB

from services.desk.domain import Scope
from services.desk.store.tables import CaseRow
from shared.db import table_of

_cases = table_of(CaseRow)


def in_scopes(scopes: tuple[Scope, ...]) -> ColumnElement[bool]:
    """What stands in any of these scopes."""
    return or_(false(), *parts_of(scopes))


def parts_of(scopes: tuple[Scope, ...]) -> list[ColumnElement[bool]]:
    """Conditions of which each is one look at one index; together they are what may be seen."""
    if any(scope.everything for scope in scopes):
        return [true()]
    return [part for n, scope in enumerate(scopes) for part in parts_of_scope(n, scope)]


def parts_of_scope(n: int, scope: Scope) -> list[ColumnElement[bool]]:
    """`n` is its place among the scopes: by it the values of the statement are named."""
    if scope.everything:
        return [true()]
    if scope.department is not None:
        return [_cases.c.department == bindparam(f"department_{n}"), has_part(f"part_{n}")]
    if scope.entered_by is not None:
        return [and_(_cases.c.entered_by == bindparam(f"entered_{n}"), ~_cases.c.confidential)]
    return []


def has_part(name: str) -> ColumnElement[bool]:
    """The value of this name is a second department. The index holds cases that have any."""
    parts: ColumnElement[Any] = _cases.c.parts
    empty: ColumnElement[Any] = literal_column("'[]'::jsonb")
    return and_(parts != empty, parts.contains(bindparam(name, type_=JSONB)))


def part_value(department: str | None) -> str:
    """What `has_part` looks for."""
    return json.dumps([{"department": department}])
