"""A statement written with SQLAlchemy, put into SQL once and run on the bare driver.

For what is asked on every page: building a statement and looking its SQL up costs more than the
database takes to answer it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from sqlalchemy import BindParameter, ClauseElement, literal_column
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.visitors import replacement_traverse

from shared.db.engine import driver_of

AT_A_TIME = 300
_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]


class Compiled:
    """The SQL of `statement`, whose changing values are ``bindparam("name")``.

    What does not change stands in it: a plan that is made once knows it, and nobody sends it.
    """

    def __init__(self, statement: ClauseElement) -> None:
        fixed: Any = replacement_traverse(statement, {}, _written_out)
        compiled: Any = fixed.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self._names: list[str] = list(compiled.positiontup)

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
        return [values[name] for name in self._names]


def _written_out(element: Any, **_: Any) -> Any:
    if not isinstance(element, BindParameter) or element.value is None:
        return None
    return literal_column(
        str(element.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})),
        element.type,
    )
