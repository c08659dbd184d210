"""The toys get servers of their own: their databases have the names of real services."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from shared.embedded import Servers, start_servers
from shared.ids import new_id
from shared.messaging.topics import create_topics
from shared.service import House, Service
from tests import support
from tests.messaging import toy


@pytest_asyncio.fixture(scope="package")
async def toy_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    started = await start_servers(tmp_path_factory.mktemp("toys"), kafka=True, postgres=True)
    assert started.kafka_address is not None
    await create_topics(started.kafka_address)
    yield started
    await started.stop()


@pytest.fixture
def toy_house(toy_servers: Servers, tmp_path: Path) -> House:
    assert toy_servers.database_url and toy_servers.kafka_address
    return support.make_house(toy_servers.database_url, toy_servers.kafka_address, tmp_path)


@pytest_asyncio.fixture
async def pair(
    toy_house: House, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Service, Service]]:
    """A telling and a hearing service on empty tables, both running, in a group of their own."""
    source, hearer = toy.build_source(toy_house), toy.build(toy_house, group=new_id())
    await asyncio.gather(source.migrate(), hearer.migrate())
    await asyncio.gather(source.start(), hearer.start())
    await until(lambda: not hearer.reasons() and not source.reasons())
    yield source, hearer
    await asyncio.gather(source.stop(), hearer.stop())


async def until(
    check: Callable[[], Any] | Callable[[], Awaitable[Any]], seconds: float = 20
) -> Any:
    """What `check` answers once it is true; fails when it never is."""
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


async def scalar(service: Service, statement: str, **values: Any) -> Any:
    async with service.engine.connect() as connection:
        return (await connection.execute(text(statement), values)).scalar()


async def rows(service: Service, statement: str, **values: Any) -> list[Any]:
    async with service.engine.connect() as connection:
        return list(await connection.execute(text(statement), values))


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
