"""Each service has its own tables: a base class with metadata of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


def own_registry() -> registry:
    """Metadata nobody else shares, for the base of a service's tables."""
    return registry(metadata=MetaData())


def table_of(row_class: type[SQLModel]) -> Table:
    """The table of a class of rows, for statements over its columns."""
    table: Table = row_class.__table__  # type: ignore[attr-defined]
    return table


def moment(*, nullable: bool = False, **more: Any) -> Any:
    """A column that holds an aware moment."""
    if nullable:
        more.setdefault("default", None)
    return Field(sa_type=DateTime(timezone=True), nullable=nullable, **more)


def document(**more: Any) -> Any:
    """A column that holds JSON."""
    return Field(sa_type=JSONB, nullable=False, **more)


Moment = datetime
