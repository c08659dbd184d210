"""kill -9 everywhere: at every named point, of the broker, of the database, in the middle of work.

Each run prints its seed; ``FAULT_SEED`` replays it, ``FAULT_LETTERS`` makes the storm bigger.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.embedded import start_servers
from shared.messaging.kill_points import NAMES as KILL_POINTS
from tests.fakes.smtp import smtp_sink
from tests.faults.house import House

LETTERS = int(os.environ.get("FAULT_LETTERS", "240"))


@pytest_asyncio.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    servers = await start_servers(tmp_path / "servers", kafka=True, postgres=True)
    async with smtp_sink() as sink:
        house = House(servers, tmp_path, sink, apart=getattr(request, "param", "") == "apart")
        try:
            yield house
            await house.end()
        finally:
            for child in house.children.values():
                child.kill()
            await servers.stop()


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 10**9))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)


async def test_killed_at_every_named_point_nothing_is_lost_or_told_twice(
    house: House, chance: random.Random
) -> None:
    await house.begin()
    house.children["house"].kill()
    feeding = []
    for name in KILL_POINTS:
        # Each start is the recovery from the death before it.
        house.start(KILL=f"{name}:{chance.randint(1, 3)}")
        feeding.append(asyncio.create_task(house.feed(12, chance, at_once=1)))
        await house.died(60)
    house.start()
    await house.ready()
    await asyncio.gather(*feeding)
    await house.settle()
    await house.check()


@pytest.mark.parametrize("house", ["whole", "apart"], indirect=True)
async def test_a_storm_of_kills_loses_nothing(house: House, chance: random.Random) -> None:
    await house.begin()
    feeding = asyncio.create_task(house.feed(LETTERS, chance))
    kafka, postgres = house.servers.kafka, house.servers.postgres
    assert kafka is not None
    assert postgres is not None
    victims = ["house", "kafka", "postgres", "house", "frozen kafka"]
    while not feeding.done() or victims:
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        victim = victims.pop(0) if victims else "house"
        if victim == "house":
            await house.kill_one(chance)
        elif victim == "kafka":
            await asyncio.to_thread(kafka.kill)
            await asyncio.sleep(chance.uniform(0.5, 3))
            await kafka.start()
        elif victim == "postgres":
            await asyncio.to_thread(postgres.kill)
            await asyncio.sleep(chance.uniform(0.2, 2))
            await postgres.start()
        else:
            kafka.pause()
            await asyncio.sleep(chance.uniform(1, 4))
            kafka.resume()
        if feeding.done() and not victims:
            break
    await feeding
    await house.settle()
    await house.check()


async def test_a_lost_broker_comes_back_whole_and_tells_nobody_twice(
    house: House, chance: random.Random
) -> None:
    await house.begin()
    await house.feed(40, chance)
    await house.settle()
    before = len(house.sink.received)
    order = {}
    for headers in await house.log():
        order.setdefault(headers["ce_subject"], []).append(headers["ce_id"])

    kafka = house.servers.kafka
    assert kafka is not None
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(_remove, kafka.logs)
    await kafka.start()
    await house.ready(120)
    await house.feed(10, chance)
    await house.settle()
    await house.check()
    assert len(house.sink.received) >= before + 10
    again = {}
    for headers in await house.log():
        again.setdefault(headers["ce_subject"], []).append(headers["ce_id"])
    for case, facts in order.items():
        assert list(dict.fromkeys(again[case]))[: len(facts)] == facts


def _remove(path: Path) -> None:
    shutil.rmtree(path)
