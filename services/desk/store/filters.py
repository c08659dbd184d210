"""Lists that people come back to, each person's own."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, func, select

from services.desk.store.tables import FilterRow
from shared.db.engine import driver_of
from shared.ids import new_id
from shared.messaging.transaction import Transaction

AT_MOST = 30
_OF = "SELECT filter_id, name, query FROM filters WHERE username = $1 ORDER BY name, filter_id"


async def filters_of(connection: AsyncConnection, username: str) -> list[dict[str, str]]:
    """``{filter_id, name, query}`` of each, by name."""
    return [dict(row) for row in await driver_of(connection).fetch(_OF, username)]


async def add(tx: Transaction, username: str, name: str, query: str) -> bool:
    """Keep a list under a name; one of the same name gives way. False where there are too many."""
    mine = col(FilterRow.username) == username
    kept = await tx.session.exec(select(FilterRow).where(mine, col(FilterRow.name) == name))
    if (row := kept.first()) is None:
        number = (await tx.session.exec(select(func.count()).where(mine))).one()
        if number >= AT_MOST:
            return False
        row = FilterRow(
            filter_id=new_id(), username=username, name=name, query=query, created_at=tx.now
        )
    row.query = query
    tx.session.add(row)
    return True


async def own(tx: Transaction, username: str, filter_id: str) -> FilterRow | None:
    """A filter of this person."""
    row = await tx.session.get(FilterRow, filter_id)
    return row if row is not None and row.username == username else None
