"""Views are disposable: projected anew from the log on a real broker, with the same numbers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from services.tracking.app import build
from services.tracking.commands import rebuild_views, wait_for_end
from services.tracking.store import generation
from shared.contracts import EVENTS
from shared.messaging import dead_letters
from shared.messaging.failures import is_transient
from shared.messaging.processing import Processor
from shared.messaging.producer import new_producer
from shared.observability.metrics import REFUSED_RECORDS
from shared.service import Runtime, Service
from tests.service.tracking.conftest import Web
from tests.support import prepared, process_batch, records
from tests.unit.tracking.examples import Story

VIEWS = {
    "cases": "SELECT * FROM cases ORDER BY feedback_id",
    "lines": "SELECT * FROM lines ORDER BY feedback_id, seq",
    "durations": "SELECT * FROM durations ORDER BY feedback_id, clock, cycle",
    "duration_bands": "SELECT * FROM duration_bands ORDER BY scope, clock, bucket, band",
    "occurrences": "SELECT * FROM occurrences ORDER BY feedback_id, seq, kind",
    "counters": "SELECT * FROM counters c WHERE n <> 0 ORDER BY c",
}


async def publish(service: Service, events: list[Any], **forged: bytes) -> None:
    """`forged` is a ``key``, or a ``source``, that is not theirs."""
    producer = new_producer(service.runtime.kafka)
    await producer.start()
    try:
        for record in records(service, *events):
            await producer.send(
                EVENTS,
                key=forged.get("key", record.key),
                value=record.body,
                headers=[
                    (k, forged.get("source", v.encode()) if k == "ce_source" else v.encode())
                    for k, v in record.headers.items()
                ],
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


def _refused(reason: str) -> float:
    return float(REFUSED_RECORDS.labels("tracking", reason)._value.get())


async def until_lines(service: Service, feedback_id: str, n: int) -> None:
    end = time.monotonic() + 120
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
    make_runtime: Callable[..., Runtime], capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = make_runtime()
    service = await prepared(build, runtime)
    stories = [Story() for _ in range(30)]
    events = [
        event for story in stories for event in [*story.answered("it"), story.rated(4, "partly")]
    ]
    await publish(service, events)
    forgeries = {"key": b"another case", "source": b"notification"}
    forged = {name: Story() for name in forgeries}
    for name, value in forgeries.items():
        await publish(service, forged[name].begun()[:1], **{name: value})
    await service.start()
    try:
        for story in stories:
            await until_lines(service, story.id, len(events) // len(stories))
        await wait_for_end(runtime.kafka, service.group)
        before = await views(service)
        assert service.group == "tracking-1"
        assert not {row[0] for row in before["cases"]} & {story.id for story in forged.values()}
        refused = {name: _refused(name) for name in forgeries}

        await rebuild_views(build(runtime))
        assert service.group == "tracking-2"
        assert await views(service) == before
        # Who reads again may read a record twice, when the group changes hands.
        assert all(_refused(name) > refused[name] for name in forgeries)
    finally:
        await service.stop()

    alone = build(runtime)
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
    await process_batch(service, *Story().begun())
    async with service.transaction() as tx:
        await generation.guard(tx, "tracking-1")
    async with service.engine.begin() as connection:
        assert await generation.begin_anew(connection) == 2
    assert await count(service, "cases") + await count(service, "streams") == 0
    with pytest.raises(generation.StaleGeneration) as stale:
        async with service.transaction() as tx:
            await generation.guard(tx, "tracking-1")
    assert is_transient(stale.value)


async def test_views_of_code_that_projected_less_are_begun_anew_at_the_start(web: Web) -> None:
    service = web.service

    async def start_with(projection: int) -> str:
        async with service.engine.begin() as connection:
            await connection.execute(text(f"UPDATE generation SET projection = {projection}"))
        for call in service.starting:
            await call()
        return service.group

    async with service.transaction() as tx:
        await generation.guard(tx, "tracking-1")
    await process_batch(service, *Story().begun())
    assert await start_with(generation.PROJECTION) == "tracking-1"
    assert await start_with(generation.PROJECTION + 1) == "tracking-1", "newer code was here"
    assert await count(service, "cases") == 1
    assert await start_with(generation.PROJECTION - 1) == "tracking-2"
    assert await count(service, "cases") == 0
    for call in service.starting:
        await call()
    assert service.group == "tracking-2", "once is enough"


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


async def test_a_rebuild_remembers_what_was_passed_over(
    make_runtime: Callable[..., Runtime],
) -> None:
    service = await prepared(build, make_runtime())
    story = Story()
    log = records(service, *story.answered("it"), story.rated(4, "partly"))
    lost, broken = (r for r in log if r.type in {"case.accepted.v1", "case.assigned.v1"})
    log = [replace(r, body=b"no JSON") if r is broken else r for r in log if r is not lost]

    async def read(group: str) -> None:
        reading = Processor(service.name, group, service.subscription, service.transaction)
        assert (await reading.process(log)).done == len(log)

    await read(generation.group_of(1))
    assert await dead_letters.count(service.engine) != (0, 0)
    redriving = service.redrive(story.id, past_gaps=True, passing_over=broken.ce_id)
    assert [r.passed_over async for r in redriving].count(True) == 1
    assert await dead_letters.count(service.engine) == (0, 0)
    before = await views(service)

    async with service.engine.begin() as connection:
        number = await generation.begin_anew(connection)
    await read(generation.group_of(number))
    assert await dead_letters.count(service.engine) == (0, 0)
    assert await views(service) == before
