"""Databases of the services: made, migrated (Alembic, one history per service), and checked."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import DatabaseNotReady, database_name, plain_url

_LOCK_KEY = 0x4D_49_47_52
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
    connection = await asyncpg.connect(_maintenance(server), timeout=10)
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
    connection = await asyncpg.connect(_maintenance(server), timeout=5)
    try:
        member = await connection.fetchval(
            "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", name
        )
    finally:
        await connection.close()
    return name if member else None


async def upgrade(engine: AsyncEngine, migrations: Path, metadata: MetaData) -> None:
    """Bring one database to the newest version, in one transaction; two at once take turns."""
    async with _one_at_a_time, engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
        await connection.run_sync(
            lambda c: command.upgrade(alembic_config(migrations, c, metadata), "head")
        )
        await connection.execute(
            text("INSERT INTO log_state (one) VALUES (1) ON CONFLICT DO NOTHING")
        )


async def check(engine: AsyncEngine, service: str, migrations: Path, metadata: MetaData) -> None:
    """Raise `DatabaseNotReady` unless the database stands at the version this code expects."""

    def versions(connection: Connection) -> tuple[str | None, str | None]:
        config = alembic_config(migrations, connection, metadata)
        head = ScriptDirectory.from_config(config).get_current_head()
        return MigrationContext.configure(connection).get_current_revision(), head

    hint = f"run: python -m services.{service} migrate  (or: python -m services setup)"
    try:
        async with engine.connect() as connection:
            present, expected = await connection.run_sync(versions)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.InvalidCatalogNameError.sqlstate:
            raise
        raise DatabaseNotReady(f"{service}: there is no database yet; {hint}") from None
    if present is None:
        raise DatabaseNotReady(f"{service}: the database is not set up; {hint}")
    if present != expected:
        raise DatabaseNotReady(
            f"{service}: the database is at version {present}, this code needs {expected}; {hint}"
        )


def _maintenance(server: str) -> str:

    url = make_url(server)
    return plain_url(url.set(database=url.database or "postgres"))
