"""Each service has its own tables: a base class with metadata of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


def registry_for(service: str) -> type[SQLModel]:
    """A SQLModel base for `service`, with metadata nobody else shares."""

    class Table(SQLModel, registry=registry(metadata=MetaData())):
        __abstract__ = True

    Table.__name__ = f"{service.capitalize()}Table"
    return Table


def moment(*, nullable: bool = False, **more: Any) -> Any:
    """A column that holds an aware moment."""
    if nullable:
        more.setdefault("default", None)
    return Field(sa_type=DateTime(timezone=True), nullable=nullable, **more)


def document(**more: Any) -> Any:
    """A column that holds JSON."""
    return Field(sa_type=JSONB, nullable=False, **more)


Moment = datetime
