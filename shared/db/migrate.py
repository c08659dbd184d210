"""Migrating the tables of a service with Alembic, one history each.

Only a set-up imports this: whether the tables fit is asked without it (`shared.db.revisions`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.errors import DatabaseNotReady
from shared.db.revisions import TABLE, Fit, Revision, Standing, too_far_ahead
from shared.db.revisions import standing as standing_of
from shared.release import RELEASE

LOCK_KEY = 0x4D_49_47_52
_one_at_a_time = asyncio.Lock()
"""Alembic keeps its context in a global: two migrations at once would mix in one process."""


def alembic_config(migrations: Path, connection: Connection, metadata: MetaData) -> Config:
    """What Alembic needs to know, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


async def upgrade(
    engine: AsyncEngine, service: str, migrations: Path, metadata: MetaData
) -> Standing | None:
    """Bring one database to the newest revision; two at once take turns.

    `engine` lets a statement take its time. Tables that are newer than this code are left as they
    are, and their standing is given; `DatabaseNotReady` where this code does not work on them.
    """
    async with _one_at_a_time, engine.connect() as connection:
        await _take_turn(connection)
        standing = await connection.run_sync(standing_of, migrations)
        if standing.fit is Fit.AHEAD:
            return standing
        if standing.fit is Fit.TOO_FAR_AHEAD:
            raise DatabaseNotReady(too_far_ahead(service, standing))
        await connection.run_sync(prepare, migrations)
        await connection.commit()
        await connection.run_sync(
            lambda c: command.upgrade(alembic_config(migrations, c, metadata), "head")
        )
        await connection.execute(
            text("INSERT INTO log_state (one) VALUES (1) ON CONFLICT DO NOTHING")
        )
        await connection.commit()
    return None


async def _take_turn(connection: AsyncConnection) -> None:
    """Hold the lock of migrations until the connection is closed.

    Asked for again and again: whoever waits inside a statement has a snapshot, for whose end a
    ``CREATE INDEX CONCURRENTLY`` of the other waits.
    """
    while not await connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK_KEY})")):
        await connection.commit()
        await asyncio.sleep(0.2)
    await connection.commit()


def write_next(connection: Connection, migrations: Path, metadata: MetaData, message: str) -> None:
    """Write the next migration from the difference between the database and the tables."""
    there = known(migrations)
    last = [name for name, one in there.items() if one.release < RELEASE]
    config = alembic_config(migrations, connection, metadata)
    config.attributes["works_with"] = (last or list(there))[-1]
    config.attributes["release"] = RELEASE
    number = f"{len(there) + 1:04}"
    command.revision(config, message=message, autogenerate=True, rev_id=number)


def known(migrations: Path) -> dict[str, Revision]:
    """What the migrations of a service say of themselves, the oldest first."""
    scripts = list(directory(migrations).walk_revisions())
    return {one.revision: declared(one) for one in reversed(scripts)}


def declared(script: Script) -> Revision:
    """What the migration file says; ValueError where it does not."""
    module = script.module
    try:
        return Revision(module.WORKS_WITH, module.RELEASE)
    except AttributeError as missing:
        raise ValueError(f"{module.__file__} does not say {missing.name}") from None


def directory(migrations: Path) -> ScriptDirectory:
    """The migration files of a service."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def prepare(connection: Connection, migrations: Path) -> None:
    """Make the table of revisions and enter those that are in the tables already."""
    connection.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {TABLE} ("
            "revision text PRIMARY KEY, works_with text NOT NULL, release integer NOT NULL, "
            "at timestamptz NOT NULL DEFAULT now())"
        )
    )
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None:
        for script in directory(migrations).iterate_revisions(present, "base"):
            record(connection, script)


def record(connection: Connection, script: Script) -> None:
    """Enter a revision; inside the transaction that makes its tables."""
    said = declared(script)
    connection.execute(
        text(
            f"INSERT INTO {TABLE} (revision, works_with, release) "
            "VALUES (:revision, :works_with, :release) ON CONFLICT (revision) DO UPDATE "
            "SET works_with = excluded.works_with, release = excluded.release"
        ),
        {"revision": script.revision, "works_with": said.works_with, "release": said.release},
    )
