"""An index built while people go on writing, and a set-up that dies while it is built."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from shared.db.migrate import LOCK_KEY
from shared.service import Runtime, Service
from tests.upgrades.histories import FIRST, Histories, Step

INDEX = Step("0001", 3, "index_concurrently('outbox_by_age', 'outbox', ['created_at'])")
_WRITE = "INSERT INTO outbox (ce_id, topic, headers) VALUES ('1', 'a topic', '{}')"


@pytest.fixture
def histories(make_quiet_runtime: Callable[..., Runtime], tmp_path: Path) -> Histories:
    return Histories(make_quiet_runtime(), tmp_path)


@pytest_asyncio.fixture
async def service(histories: Histories) -> AsyncIterator[Service]:
    """The tables of the first revision; the second builds an index."""
    await histories.service(FIRST).migrate()
    service = histories.service(FIRST, INDEX)
    yield service
    await service.engine.dispose()


@pytest_asyncio.fixture
async def connection(service: Service) -> AsyncIterator[asyncpg.Connection]:
    opened = await service.database.connect(name="a test")
    yield opened
    await opened.close()


async def state(connection: asyncpg.Connection) -> tuple[int, bool] | None:
    row = await connection.fetchrow(
        "SELECT i.indexrelid, i.indisvalid FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'outbox_by_age'"
    )
    return (row[0], row[1]) if row else None


async def begun(service: Service, connection: asyncpg.Connection) -> asyncio.Task[str | None]:
    """A set-up that builds the index and waits for a writer, who is `connection`'s transaction."""
    building = asyncio.create_task(service.migrate())
    while await state(connection) is None:
        assert not building.done(), await building
        await asyncio.sleep(0.02)
    return building


async def test_it_waits_for_writers_and_lets_others_write(
    service: Service, connection: asyncpg.Connection
) -> None:
    other = await service.database.connect(name="another writer")
    writing = connection.transaction()
    await writing.start()
    await connection.execute(_WRITE)
    building = await begun(service, connection)
    await other.execute(_WRITE.replace("'1'", "'2'"))
    await other.close()
    await writing.commit()
    await building
    built = await state(connection)
    assert built and built[1]


async def test_a_set_up_that_died_meanwhile_is_done_again(
    service: Service, connection: asyncpg.Connection
) -> None:
    writing = connection.transaction()
    await writing.start()
    await connection.execute(_WRITE)
    building = await begun(service, connection)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'"
    )
    with pytest.raises(DBAPIError):
        await building
    await writing.commit()
    left = await state(connection)
    assert left and not left[1]

    await service.migrate()
    built = await state(connection)
    assert built and built[1] and built[0] != left[0]
    await service.check_database()


async def test_what_was_built_and_not_yet_entered_stays(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.migrate()
    built = await state(connection)
    await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    await service.migrate()
    assert await state(connection) == built
    await service.check_database()


async def test_a_second_set_up_waits_without_holding_up_the_first(
    service: Service, connection: asyncpg.Connection
) -> None:
    writing = connection.transaction()
    await writing.start()
    await connection.execute(_WRITE)
    building = await begun(service, connection)
    # Not through `migrate`, which takes turns within one process: another process is another lock.
    second = await service.database.connect(name="another set-up")
    assert not await second.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY)
    await writing.commit()
    await building
    assert await second.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY)
    await second.close()


async def test_a_migration_that_did_something_before_is_refused_and_leaves_nothing(
    histories: Histories, service: Service, connection: asyncpg.Connection
) -> None:
    both = f"op.add_column('outbox', sa.Column('more', sa.Text())); {INDEX.body}"
    with pytest.raises(RuntimeError, match="before anything else"):
        await histories.service(FIRST, Step("0001", 3, both)).migrate()
    assert await state(connection) is None
    columns = await connection.fetch(
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'outbox'::regclass AND attname = 'more'"
    )
    assert columns == []
