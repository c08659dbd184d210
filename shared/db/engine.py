"""Engines and the names of databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.address import Address, parse_address


def database_name(service: str) -> str:
    """The database, and the owning role, of a service."""
    return f"express_{service}"


def service_address(server: str, service: str) -> Address:
    """The address of a service's own database on the `server`, a PostgreSQL URL."""
    return parse_address(server).database(database_name(service))


def create_engine(
    address: Address,
    *,
    name: str = "express",
    role: str | None = None,
    pool_size: int = 8,
    command_timeout: float | None = 15,
) -> AsyncEngine:
    """An engine whose every connection acts as `role`, waits at most 10 s, and is durable.

    A statement may take `command_timeout` seconds; None is as long as it needs.

    ``synchronous_commit=on`` is set and not merely hoped for: an answer of 2xx promises a row
    that survives. Statements are many and small: workers for one of them, or code compiled for it,
    cost twenty times what most of them take.
    """
    settings = {
        "synchronous_commit": "on",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "lock_timeout": "8000",
        "idle_in_transaction_session_timeout": "60000",
    }
    return create_async_engine(
        "postgresql+asyncpg://",
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_use_lifo=True,
        # Parameters are people's words and contacts: no error message repeats them.
        hide_parameters=True,
        json_deserializer=from_json,
        connect_args=address.arguments(
            name=name, role=role, command_timeout=command_timeout, settings=settings
        ),
    )


def driven(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for transactions that the driver itself begins and ends."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@asynccontextmanager
async def borrowed(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for a block that leaves no transaction of SQLAlchemy's own behind.

    SQLAlchemy's block gives it back in a task of its own, which no cancellation reaches, since it
    may have to wait for a rollback. Here nothing is waited for, so that nothing can be cut off:
    the driver has ended its transaction by then, or the connection was invalidated.
    """
    connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.close()


async def fetch_row(engine: AsyncEngine, statement: str) -> asyncpg.Record:
    """The row of a statement that is a transaction by itself: one round trip instead of three."""
    async with borrowed(engine) as connection:
        driver = driver_of(connection)
        try:
            return await driver.fetchrow(statement)
        finally:
            # The pool sees nothing of this; it must not get back what is of no use to the next.
            if driver.is_closed():
                await connection.invalidate()


@asynccontextmanager
async def reading(connection: AsyncConnection, settings: str) -> AsyncIterator[None]:
    """A transaction of the driver that only reads; `settings`, as SQL, begin with it and end with
    it, all in one round trip."""
    driver = driver_of(connection)
    try:
        await driver.execute(f"BEGIN READ ONLY; {settings}")
        yield
    except BaseException:
        if not driver.is_closed():
            await driver.execute("ROLLBACK")
        raise
    await driver.execute("COMMIT")


def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The asyncpg connection under `connection`."""
    pooled = connection.sync_connection
    assert pooled is not None
    return pooled.connection.driver_connection
