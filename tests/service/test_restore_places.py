"""Who is in the way of a restore, and who is not, as the server tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from shared.backup.databases import Places, administration, present
from shared.db import parse_address
from tests.patience import PATIENCE

NAME = "express_tidied"
SERVICES = ["tidied"]
_TIDIED = """
CREATE TABLE much AS SELECT g AS id, repeat('x', 500) AS words FROM generate_series(1, 20000) g;
ALTER TABLE much SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
DELETE FROM much WHERE id % 2 = 0;
"""
_AT_WORK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'autovacuum worker'
"""


@pytest_asyncio.fixture
async def server(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server, on which ``express_tidied`` is made for one test."""
    async with administration(postgres) as connection:
        await connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield connection
        finally:
            for name in (NAME, f"{NAME}_replaced"):
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def test_whoever_has_a_connection_is_named(postgres: str, server: asyncpg.Connection) -> None:
    assert (await present(postgres, SERVICES)).in_use == ()
    somebody = await parse_address(postgres).database(NAME).connect(name="somebody")
    assert (await present(postgres, SERVICES)).in_use == (f"{NAME} (somebody)",)
    await somebody.close()


async def test_a_database_that_the_server_tidies_is_free(
    postgres: str, server: asyncpg.Connection
) -> None:
    await server.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    await server.execute("SELECT pg_reload_conf()")
    try:
        somebody = await parse_address(postgres).database(NAME).connect(name="somebody")
        await somebody.execute(_TIDIED)
        await somebody.close()
        async with asyncio.timeout(PATIENCE):
            while not await server.fetchval(_AT_WORK, NAME):
                await asyncio.sleep(0.05)
        found = await present(postgres, SERVICES)
        assert await server.fetchval(_AT_WORK, NAME)
        assert found.in_use == ()
        assert found.filled == (NAME,)
        await Places(postgres, SERVICES).clear()
        assert (await present(postgres, SERVICES)).filled == ()
    finally:
        await server.execute("ALTER SYSTEM RESET autovacuum_naptime")
        await server.execute("SELECT pg_reload_conf()")
