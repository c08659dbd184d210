"""Engines and the names of databases."""

from __future__ import annotations

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


class DatabaseNotReady(Exception):
    """The service's database is missing or not migrated; says what to run."""


def database_name(service: str) -> str:
    """The database, and the owning role, of a service."""
    return f"express_{service}"


def database_url(server: str, service: str) -> URL:
    """The URL of a service's own database on the `server`."""
    return make_url(server).set(drivername="postgresql+asyncpg", database=database_name(service))


def plain_url(url: URL) -> str:
    """The same address as asyncpg alone takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def create_engine(url: URL, *, role: str | None, pool_size: int = 8) -> AsyncEngine:
    """An engine whose every connection acts as `role`, waits at most 10 s, and is durable.

    ``synchronous_commit=on`` is set and not merely hoped for: an answer of 2xx promises a row
    that survives.
    """
    server_settings = {
        "application_name": url.database or "express",
        "synchronous_commit": "on",
        "lock_timeout": "8000",
        "idle_in_transaction_session_timeout": "60000",
    }
    if role:
        server_settings["role"] = role
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_use_lifo=True,
        # Parameters are people's words and contacts: no error message repeats them.
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": 15,
            "server_settings": server_settings,
        },
    )


def driven(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for transactions that the driver itself begins and ends."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The asyncpg connection under `connection`."""
    pooled = connection.sync_connection
    assert pooled is not None
    return pooled.connection.driver_connection
