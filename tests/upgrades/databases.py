"""Databases of a test's own, at whatever revision of a service's history."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.address import parse_address
from shared.db.databases import ensure_database
from shared.db.engine import create_engine, database_name
from shared.db.migrate import alembic_config, directory, prepare
from shared.service import Service
from tests.upgrades.catalogue import Catalogue, catalogue

_names = itertools.count()


@dataclass
class Database:
    """An empty database with an engine."""

    server: str
    name: str = field(default_factory=lambda: f"apart_{next(_names)}")

    def __post_init__(self) -> None:
        self.address = parse_address(self.server).database(database_name(self.name))
        self.engine: AsyncEngine = create_engine(self.address, command_timeout=None)

    async def catalogue(self) -> Catalogue:
        """What PostgreSQL says of it."""
        connection = await self.address.connect(name="a test")
        try:
            return await catalogue(connection)
        finally:
            await connection.close()

    async def upgrade(self, service: Service, revision: str) -> None:
        """Run the service's migrations up to `revision`."""

        def run(connection: Connection) -> None:
            prepare(connection, service.migrations)
            connection.commit()
            config = alembic_config(service.migrations, connection, service.metadata)
            command.upgrade(config, revision)

        async with self.engine.connect() as connection:
            await connection.run_sync(run)

    async def create(self, metadata: MetaData, extensions: Sequence[str]) -> None:
        """Make the tables as the metadata has them; extensions are the migrations' to name."""
        async with self.engine.begin() as connection:
            for name in extensions:
                await connection.execute(text(f"CREATE EXTENSION {name}"))
            await connection.run_sync(metadata.create_all)

    async def extensions(self) -> list[str]:
        connection = await self.address.connect(name="a test")
        try:
            rows = await connection.fetch(
                "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"
            )
        finally:
            await connection.close()
        return [row[0] for row in rows]


@asynccontextmanager
async def empty_database(server: str) -> AsyncIterator[Database]:
    """A database that no service uses."""
    database = Database(server)
    await ensure_database(server, database.name)
    try:
        yield database
    finally:
        await database.engine.dispose()


def contracts(migrations: Path, revision: str) -> Sequence[str]:
    """What a migration says it takes away, as ``table`` or ``table.column``."""
    script = directory(migrations).get_revision(revision)
    return getattr(script.module, "CONTRACTS", ())
