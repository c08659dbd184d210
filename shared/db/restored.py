"""Whether a database was restored and is not complete yet: a comment on it, which no dump holds."""

from __future__ import annotations

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.errors import DatabaseNotReady

_UNFINISHED = "a backup was put back, and what the log knows beyond it is not in yet"
_COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "


async def mark_unfinished(server: asyncpg.Connection, database: str) -> None:
    """From now on no service starts on it."""
    await server.execute(f"COMMENT ON DATABASE \"{database}\" IS '{_UNFINISHED}'")


async def mark_finished(server: asyncpg.Connection, database: str) -> None:
    """It may be used."""
    await server.execute(f'COMMENT ON DATABASE "{database}" IS NULL')


async def check_finished(engine: AsyncEngine, service: str) -> None:
    """Raise `DatabaseNotReady` where a restore was interrupted."""
    async with engine.connect() as connection:
        comment = await connection.scalar(text(f"{_COMMENT} current_database()"))
    if comment == _UNFINISHED:
        raise DatabaseNotReady(
            f"{service}: {comment}; run again: python -m services restore FILE --replace"
        )
