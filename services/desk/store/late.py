"""What is overdue, as a condition on the rows of cases: the same that a line of a list says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, String, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from services.desk.domain.promises import NOT_ON_TOP, ON_TOP
from services.desk.store.tables import CaseRow
from shared.contracts.vocabulary import Clock
from shared.db import table_of

_cases = table_of(CaseRow)


def overdue(now: ColumnElement[Any]) -> ColumnElement[bool]:
    """One range of an index; what it holds besides is little.

    An alarm ranks before all, whatever was promised, so its promises are asked whether one broke.
    """
    due = _cases.c.next_due_at
    return and_(due <= now, or_(due > NOT_ON_TOP, and_(due < ON_TOP, first_due() <= now)))


def first_due() -> ColumnElement[Any]:
    """When the first promise breaks that still runs, as `domain.promises.running` has them; null
    where none does."""
    one: Any = func.jsonb_each(_cases.c.promises).table_valued(
        Column("key", String), Column("value", JSONB), name="promised"
    )
    runs = and_(
        one.c.key != str(Clock.FOLLOW_UP),
        one.c.value["ended"].astext.is_(None),
        func.coalesce(one.c.value["paused"].astext, "false") == "false",
    )
    due = cast(one.c.value["due"].astext, DateTime(timezone=True))
    return select(func.min(due)).where(runs).scalar_subquery()
