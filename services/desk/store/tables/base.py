"""What the tables of desk have in common."""

from __future__ import annotations

from functools import reduce
from typing import Any

from sqlalchemy import Index, Text, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.db.tables import document, own_registry
from shared.messaging.tables import messaging_tables


class DeskTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(DeskTable.metadata)


def documents() -> Any:
    """A list of JSON that code of before its column leaves empty."""
    return document(default_factory=list, sa_column_kwargs={"server_default": text("'[]'::jsonb")})


def flag() -> Any:
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def searched() -> Any:
    """Words as the search sees them, that code of before its column leaves out."""
    return Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


def sealed() -> Any:
    """See `shared.messaging.seals`; None: not written since there are seals."""
    return Field(default=None, nullable=True)


def maybe_document() -> Any:
    return Field(default=None, sa_type=JSONB, nullable=True)


ONCE = r"regexp_replace({}, '(.)\1', '\1', 'g')"
"""What is findable with each letter once again, as it stands in an index and in what asks it."""


def letters_index(table: str, column: str) -> Index:
    """The letters of what is findable: one alone holds no trigram."""
    letters = text(f"string_to_array({column}, NULL)")
    return Index(f"{table}_{column}_letters", letters, postgresql_using="gin")


DIGITS = reduce(
    lambda text, digit: f"replace({text}, '{digit}{digit}', '{digit}')",
    "0123456789",
    "regexp_replace({}, '[^0-9]+', ' ', 'g')",
)
"""Its digits alone, each once: all that numbers are told apart by, and quick to compare with."""


def once_index(table: str, column: str) -> Index:
    """What is findable by trigrams of letters that stand once: for people."""
    return _trigrams(table, column, "once", ONCE)


def digits_index(table: str, column: str) -> Index:
    """What is findable by the numbers in it."""
    return _trigrams(table, column, "digits", DIGITS)


def _trigrams(table: str, column: str, name: str, of: str) -> Index:
    return Index(
        f"{table}_{column.removeprefix('search_')}_{name}",
        literal_column(of.format(column)).label(name),
        postgresql_using="gin",
        postgresql_ops={name: "gin_trgm_ops"},
    )
