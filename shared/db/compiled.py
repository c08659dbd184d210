"""A statement written with SQLAlchemy, put into SQL once and run on the bare driver.

For what is asked on every page: building a statement and looking its SQL up costs more than the
database takes to answer it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.engine import driver_of

AT_A_TIME = 300
_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]


class Compiled:
    """The SQL of `statement`, whose changing values are ``bindparam("name")``."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self._names: list[str] = list(compiled.positiontup)
        self._constants: dict[str, Any] = {
            name: value for name, value in compiled.params.items() if value is not None
        }

    async def fetch(self, connection: AsyncConnection, values: Any) -> list[asyncpg.Record]:
        """The rows; `values` by name, and more of them than the statement asks for is no fault.

        ``connection`` needs no transaction: each call is one of its own.
        """
        rows: list[asyncpg.Record] = await driver_of(connection).fetch(
            self.sql, *self._given(values)
        )
        return rows

    async def stream(
        self, connection: AsyncConnection, values: Any
    ) -> AsyncIterator[asyncpg.Record]:
        """The rows one after another, some hundred at a time, within a transaction."""
        async for row in driver_of(connection).cursor(
            self.sql, *self._given(values), prefetch=AT_A_TIME
        ):
            yield row

    def _given(self, values: Any) -> list[Any]:
        constants = self._constants
        return [constants[n] if n in constants else values[n] for n in self._names]
