"""Routing on the embedder that comes with it: hostile words, and a process that dies or hangs while
it works. Nothing is lost, and what was not embedded is embedded later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from services.routing import jobs
from shared.embedded import EmbeddedModel
from shared.embeddings import CircuitBreaker, Embedder, EmbedderAway, parse_source
from tests.messaging.embedded.test_model import HOSTILE
from tests.patience import PATIENCE
from tests.service.routing.conftest import Routing

SPEAKABLE = [one for one in HOSTILE if one.strip() and "\0" not in one and "\ud800" not in one]
"""What may get as far as routing: intake lets no other text in."""


@pytest.fixture
async def real(
    routing: Routing, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EmbeddedModel]:
    server = EmbeddedModel(tmp_path_factory.mktemp("model"), silent_after=5.0)
    server.begin()
    embedder = Embedder(
        parse_source("builtin"), socket=server.socket, breaker=CircuitBreaker(first=0.01)
    )
    routing.service.deps.meaning.embedder = embedder
    async with asyncio.timeout(PATIENCE):
        while not await server.answers():
            await asyncio.sleep(0.05)
    yield server
    await embedder.close()
    await server.stop()


async def counted(routing: Routing, query: str) -> int:
    async with routing.service.engine.connect() as connection:
        return int((await connection.execute(text(query))).scalar_one())


async def embedded(routing: Routing) -> int:
    return await counted(routing, "SELECT count(*) FROM vectors")


async def all_embedded(routing: Routing, cases: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await embedded(routing) < cases:
            with suppress(EmbedderAway):
                await jobs.embed_waiting(routing.service)
            await asyncio.sleep(0.02)


async def test_hostile_words_are_decided_and_get_a_vector_each(
    routing: Routing, real: EmbeddedModel
) -> None:
    pid = real.pid
    for said in SPEAKABLE:
        event = await routing.last(await routing.receive(said[:50_000]))
        assert event["type"] in ("feedback.routed.v1", "feedback.triage_needed.v1")
    # What may be about conduct gets none, and what hostile words are like is anybody's guess.
    open_to_all = await counted(routing, "SELECT count(*) FROM cases WHERE NOT confidential")
    assert open_to_all > len(SPEAKABLE) / 2
    await all_embedded(routing, open_to_all)
    assert real.pid == pid


async def test_a_model_that_is_killed_or_hangs_in_the_middle_costs_nothing_but_time(
    routing: Routing, real: EmbeddedModel
) -> None:
    harms: list[Callable[[], None]] = [real.kill, real.pause]
    total = 0
    for harm in harms:
        before = real.pid
        for n in range(8):
            await routing.receive(f"{n} 楼的风很大，雨也很大")
        routing.service.deps.meaning.fresh.clear()
        working = asyncio.create_task(jobs.embed_waiting(routing.service))
        async with asyncio.timeout(PATIENCE):
            while await embedded(routing) == total and not working.done():
                await asyncio.sleep(0.005)
        harm()
        # A comment that comes now is decided all the same.
        event = await routing.last(await routing.receive("三层东区一上午都是一个水杯占座"))
        assert (event["type"], event["department"]) == ("feedback.routed.v1", "space")
        with suppress(EmbedderAway):
            await working
        async with asyncio.timeout(PATIENCE):
            while real.pid in (None, before) or not await real.answers():
                await asyncio.sleep(0.05)
        total += 9
        await all_embedded(routing, total)
