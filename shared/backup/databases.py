"""The databases of the services on the server: what is there, and putting dumps in their place."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import asyncpg

from shared.backup.errors import BackupError
from shared.backup.tools import Tool
from shared.db.address import parse_address
from shared.db.databases import ensure_database
from shared.db.engine import database_name
from shared.db.restored import mark_finished, mark_unfinished

if TYPE_CHECKING:
    from shared.service import Service

OURS = "express_backup"
"""What the server sees as the name of our own connections."""
_ASIDE = "_replaced"
# The server ends its own autovacuum workers when a database is renamed.
_IN_USE = """
SELECT DISTINCT datname, application_name FROM pg_stat_activity
WHERE datname = ANY($1::text[]) AND pid <> pg_backend_pid() AND application_name <> $2
  AND backend_type <> 'autovacuum worker'
ORDER BY 1, 2
"""
_LEAVING = 2.0
"""Seconds."""
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
_MAY_CREATE = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True)
class Present:
    """What is on the server under the names that a restore needs."""

    filled: tuple[str, ...]
    """Databases that hold something."""
    in_use: tuple[str, ...]
    """``database (by whom)`` of connections that others have."""


@contextlib.asynccontextmanager
async def administration(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server itself."""
    connection = await parse_address(url).connect(name=OURS)
    try:
        yield connection
    finally:
        await connection.close()


async def present(url: str, services: Iterable[str]) -> Present:
    """Look at the databases of these services."""
    names = [database_name(service) for service in services]
    filled = []
    async with administration(url) as server:
        known = await server.fetch("SELECT datname FROM pg_database WHERE datname = ANY($1)", names)
        used = await _in_use(server, names)
    for (name,) in known:
        connection = await parse_address(url).database(name).connect(name=OURS)
        try:
            if await connection.fetchval(_TABLES):
                filled.append(name)
        finally:
            await connection.close()
    return Present(tuple(sorted(filled)), tuple(f"{d} ({a or 'unnamed'})" for d, a in used))


async def _in_use(server: asyncpg.Connection, names: list[str]) -> list[asyncpg.Record]:
    """Who is connected. Whoever has just hung up is seen for a moment longer: looked for again."""
    end = time.monotonic() + _LEAVING
    while (used := await server.fetch(_IN_USE, names, OURS)) and time.monotonic() < end:
        await asyncio.sleep(_LEAVING / 20)
    return list(used)


class Places:
    """Makes room for the databases of a backup, and gives it back where that fails.

    What was there is renamed, and dropped only when everything is in place. An account that may
    make no databases needs them made, and empty.
    """

    def __init__(self, url: str, services: Sequence[str]) -> None:
        self._url, self._services = url, services

    async def clear(self) -> None:
        """Set aside what is there; what an interrupted restore has set aside stays so."""
        async with administration(self._url) as server:
            if not await server.fetchval(_MAY_CREATE):
                raise BackupError(
                    "this account may make no databases: have the six databases dropped and made "
                    "anew, empty, and restore without --replace"
                )
            for name in map(database_name, self._services):
                if await _exists(server, name + _ASIDE):
                    await server.execute(f'DROP DATABASE IF EXISTS "{name}"')
                elif await _exists(server, name):
                    await server.execute(f'ALTER DATABASE "{name}" RENAME TO "{name + _ASIDE}"')

    async def give_back(self) -> None:
        """Drop what was restored, and bring back what was set aside."""
        async with administration(self._url) as server:
            for name in map(database_name, self._services):
                if await _exists(server, name + _ASIDE):
                    await server.execute(f'DROP DATABASE IF EXISTS "{name}"')
                    await server.execute(f'ALTER DATABASE "{name + _ASIDE}" RENAME TO "{name}"')

    async def finish(self) -> None:
        """Let services start on what was restored."""
        async with administration(self._url) as server:
            for name in map(database_name, self._services):
                await mark_finished(server, name)

    async def drop_old(self) -> None:
        """Everything is in place: what was set aside can go."""
        async with administration(self._url) as server:
            for name in map(database_name, self._services):
                await server.execute(f'DROP DATABASE IF EXISTS "{name + _ASIDE}"')


async def _exists(server: asyncpg.Connection, name: str) -> bool:
    return bool(await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))


async def put_dump(
    tool: Tool, url: str, service: Service, dump: IO[bytes], read: Callable[[int], None]
) -> None:
    """Make the database of a service of its dump: all of it, or `BackupError`."""
    role = await ensure_database(url, service.name)
    # The account of the service may not install what its indexes need.
    await service.install_extensions()
    async with administration(url) as server:
        await mark_unfinished(server, database_name(service.name))
    await tool.run(
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        *([f"--role={role}"] if role else []),
        database=service.database,
        source=dump,
        read=read,
    )
