"""Views are disposable: projected anew from the log on a real broker, with the same numbers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.tracking.app import build
from services.tracking.rebuild import rebuild_views, wait_for_end
from services.tracking.store import generation
from shared.contracts import EVENTS
from shared.ids import new_id
from shared.messaging.envelope import headers_for
from shared.messaging.failures import is_transient
from shared.messaging.relay import new_producer
from shared.service import House, Service
from tests.service.tracking.conftest import Web
from tests.support import prepared, take_in
from tests.unit.tracking.facts import Story

VIEWS = {
    "cases": "SELECT * FROM cases ORDER BY feedback_id",
    "lines": "SELECT * FROM lines ORDER BY feedback_id, seq",
    "durations": "SELECT * FROM durations ORDER BY feedback_id, clock, cycle",
    "counters": "SELECT * FROM counters WHERE n <> 0 ORDER BY measure, bucket, department, detail",
}


async def publish(kafka: str, facts: list[Any]) -> None:
    producer = new_producer(kafka)
    await producer.start()
    try:
        for n, fact in enumerate(facts):
            headers = headers_for(
                fact, ce_id=new_id(), source=fact.owner, sequence=n + 1, cause=None
            )
            await producer.send(
                EVENTS,
                key=fact.key.encode(),
                value=fact.model_dump_json(exclude_none=True).encode(),
                headers=[(k, v.encode()) for k, v in headers.items()],
            )
        await producer.flush()
    finally:
        await producer.stop()


async def views(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    async with service.engine.connect() as connection:
        return {
            name: [tuple(map(str, row)) for row in await connection.execute(text(statement))]
            for name, statement in VIEWS.items()
        }


async def count(service: Service, table: str) -> int:
    async with service.engine.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def until_lines(service: Service, feedback_id: str, n: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        async with service.engine.connect() as connection:
            found = await connection.execute(
                text("SELECT seq FROM cases WHERE feedback_id = :i"), {"i": feedback_id}
            )
            if (found.scalar() or 0) >= n:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the log was not read")


async def test_a_rebuild_gives_the_same_views_with_and_without_a_running_service(
    make_house: Callable[..., House], capsys: pytest.CaptureFixture[str]
) -> None:
    house = make_house()
    service = await prepared(build, house)
    stories = [Story() for _ in range(30)]
    facts = [
        fact for story in stories for fact in [*story.answered("it"), story.rated(4, "partly")]
    ]
    await publish(house.kafka, facts)
    await service.start()
    try:
        for story in stories:
            await until_lines(service, story.id, len(facts) // len(stories))
        await wait_for_end(house.kafka, service.group)
        before = await views(service)
        assert service.group == "tracking-1"

        await rebuild_views(build(house))
        assert service.group == "tracking-2"
        assert await views(service) == before
    finally:
        await service.stop()

    alone = build(house)
    await rebuild_views(alone)
    await alone.connect()
    try:
        assert alone.group == "tracking-3"
        assert await views(alone) == before
        assert await count(alone, "outbox") == 0
    finally:
        await alone.engine.dispose()
    assert "the views are complete" in capsys.readouterr().out


async def test_what_was_read_for_the_old_views_never_reaches_the_new_ones(web: Web) -> None:
    service = web.service
    await take_in(service, *Story().begun())
    async with service.transaction() as tx:
        await generation.guard(tx, "tracking-1")
    async with service.engine.begin() as connection:
        assert await generation.begin_anew(connection) == 2
    assert await count(service, "cases") + await count(service, "inbox") == 0
    with pytest.raises(generation.StaleGeneration) as stale:
        async with service.transaction() as tx:
            await generation.guard(tx, "tracking-1")
    assert is_transient(stale.value)


async def test_a_rebuild_waits_for_the_batch_under_way(web: Web) -> None:
    service = web.service

    async def begin_anew() -> None:
        async with service.engine.begin() as connection:
            await generation.begin_anew(connection)

    async with service.transaction() as tx:
        await generation.guard(tx, "tracking-1")
        waiting = asyncio.create_task(begin_anew())
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await waiting
