"""The toys get servers of their own: their databases have the names of real services."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from shared.contracts import Event
from shared.embedded import Servers, start_servers
from shared.ids import new_id
from shared.messaging.subscription import Subscription
from shared.messaging.topics import create_topics
from shared.service import Runtime, Service
from tests import support
from tests.messaging import toy
from tests.patience import PATIENCE


@pytest_asyncio.fixture(scope="package")
async def toy_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    started = await start_servers(tmp_path_factory.mktemp("toys"), kafka=True, postgres=True)
    assert started.kafka_address is not None
    await create_topics(started.kafka_address)
    yield started
    await started.stop()


@pytest.fixture
def toy_runtime(toy_servers: Servers, tmp_path: Path) -> Runtime:
    assert toy_servers.database_url and toy_servers.kafka_address
    return support.make_runtime(toy_servers.database_url, toy_servers.kafka_address, tmp_path)


@pytest_asyncio.fixture
async def pair(
    toy_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Service, Service]]:
    """An emitting and a reading service on empty tables, both running, in a group of their own."""
    source, reader = toy.build_source(toy_runtime), toy.build(toy_runtime, group=new_id())
    await asyncio.gather(source.migrate(), reader.migrate())
    await asyncio.gather(source.start(), reader.start())
    await until(lambda: not reader.reasons() and not source.reasons())
    yield source, reader
    await asyncio.gather(source.stop(), reader.stop())


@pytest_asyncio.fixture
async def reader(toy_runtime: Runtime) -> AsyncIterator[Service]:
    """A service that reads two types, and does not start."""
    service = toy.build(toy_runtime)
    await service.migrate()
    yield service
    await service.engine.dispose()


@pytest_asyncio.fixture
async def seer(reader: Service) -> Service:
    """The same, but it handles `Event`: every type, so that it sees holes."""
    reader.subscription = Subscription({Event: toy.handle}, loads=(toy.Handled,))
    return reader


async def until(
    check: Callable[[], Any] | Callable[[], Awaitable[Any]], seconds: float = PATIENCE
) -> Any:
    """What `check` answers once it is true; fails when it never is, on a busy machine either."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("it never came true")
        await asyncio.sleep(0.05)


async def few_at_once(all_of_it: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Await all of them, never more at once than a service has connections for.

    Whoever waits longer for a connection is told to come again, which a slow machine comes to.
    """
    allowed = asyncio.Semaphore(8)

    async def one(coroutine: Coroutine[Any, Any, object]) -> None:
        async with allowed:
            await coroutine

    async with asyncio.TaskGroup() as group:
        for coroutine in all_of_it:
            group.create_task(one(coroutine))


async def scalar(service: Service, statement: str, **values: Any) -> Any:
    async with service.engine.connect() as connection:
        return (await connection.execute(text(statement), values)).scalar()


async def rows(service: Service, statement: str, **values: Any) -> list[Any]:
    async with service.engine.connect() as connection:
        return list(await connection.execute(text(statement), values))


async def blocked(service: Service, number: int = 1) -> None:
    """Until so many transactions of the service wait for a lock."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"

    async def check() -> bool:
        return int(await scalar(service, waiting)) >= number

    await until(check)


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
