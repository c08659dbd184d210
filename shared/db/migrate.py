"""Databases of the services: made, migrated (Alembic, one history per service), and checked."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import revisions
from shared.db.address import parse_address
from shared.db.engine import database_name
from shared.db.errors import DatabaseNotReady
from shared.db.revisions import Fit, Standing
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


async def ensure_database(server: str, service: str) -> str | None:
    """Create the service's database and its owning role; gives the role, if there is one.

    Where the account may not create roles, the database simply belongs to the account.
    """
    name = database_name(service)
    connection = await parse_address(server).connect(name="express_setup")
    try:
        may = await connection.fetchrow(
            "SELECT rolcreaterole OR rolsuper AS role, rolcreatedb OR rolsuper AS db "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert may is not None
        role: str | None = None
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        if not known and may["role"]:
            with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await connection.execute(f'CREATE ROLE "{name}" NOLOGIN')
            known = 1
        if known:
            if may["role"]:
                await connection.execute(f'GRANT "{name}" TO current_user')
            role = name
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            owner = f' OWNER "{role}"' if role else ""
            try:
                await connection.execute(
                    f"CREATE DATABASE \"{name}\"{owner} TEMPLATE template0 ENCODING 'UTF8' "
                    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C.UTF-8'"
                )
                await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
                if role:
                    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{role}"')
            except asyncpg.DuplicateDatabaseError:
                pass
    finally:
        await connection.close()
    return role


async def known_role(server: str, service: str) -> str | None:
    """The role this service acts as, where set-up made one."""
    name = database_name(service)
    connection = await parse_address(server).connect(name=name)
    try:
        member = await connection.fetchval(
            "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", name
        )
    finally:
        await connection.close()
    return name if member else None


async def upgrade(
    engine: AsyncEngine, service: str, migrations: Path, metadata: MetaData
) -> Standing | None:
    """Bring one database to the newest revision; two at once take turns.

    `engine` lets a statement take its time. Tables that are newer than this code are left as they
    are, and their standing is given; `DatabaseNotReady` where this code does not work on them.
    """
    async with _one_at_a_time, engine.connect() as connection:
        await _take_turn(connection)
        standing = await connection.run_sync(revisions.standing, migrations)
        if standing.fit is Fit.AHEAD:
            return standing
        if standing.fit is Fit.TOO_FAR_AHEAD:
            raise DatabaseNotReady(_too_far_ahead(service, standing))
        await connection.run_sync(revisions.prepare, migrations)
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
    known = revisions.known(migrations)
    last = [name for name, one in known.items() if one.release < RELEASE]
    config = alembic_config(migrations, connection, metadata)
    config.attributes["works_with"] = (last or list(known))[-1]
    config.attributes["release"] = RELEASE
    number = f"{len(known) + 1:04}"
    command.revision(config, message=message, autogenerate=True, rev_id=number)


async def check(engine: AsyncEngine, service: str, migrations: Path) -> Standing:
    """How the tables stand to this code; `DatabaseNotReady` unless it works on them."""
    hint = f"run: python -m services.{service} migrate  (or: python -m services setup)"
    try:
        async with engine.connect() as connection:
            standing = await connection.run_sync(revisions.standing, migrations)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.InvalidCatalogNameError.sqlstate:
            raise
        raise DatabaseNotReady(f"{service}: there is no database yet; {hint}") from None
    match standing.fit:
        case Fit.NOT_SET_UP:
            raise DatabaseNotReady(f"{service}: the database is not set up; {hint}")
        case Fit.BEHIND:
            raise DatabaseNotReady(
                f"{service}: the database is at version {standing.present}, this code needs "
                f"{standing.head}; {hint}"
            )
        case Fit.TOO_FAR_AHEAD:
            raise DatabaseNotReady(_too_far_ahead(service, standing))
    return standing


def ahead(service: str, standing: Standing) -> str:
    """The sentence of tables that are newer than the code that works on them."""
    return (
        f"{service}: the database is at version {standing.present} of release {standing.release}, "
        f"newer than this code ({standing.head}, release {RELEASE}), which still works on it"
    )


def _too_far_ahead(service: str, standing: Standing) -> str:
    needed = f"release {standing.release} or newer" if standing.release else "a newer release"
    return (
        f"{service}: the database is at version {standing.present}, on which this code "
        f"({standing.head}, release {RELEASE}) does not work; run {needed}"
    )
