"""kill -9 everywhere: at every named point, of the broker, of the database, in the middle of work.

Each run prints its seed; ``FAULT_SEED`` replays it, ``FAULT_LETTERS`` makes the storm bigger.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest

from shared.messaging.kill_points import NAMES as KILL_POINTS
from tests.faults.system import System

COMMITTEE = "committee@library.example"
LETTERS = int(os.environ.get("FAULT_LETTERS", "240"))


async def test_killed_at_every_named_point_nothing_is_lost_or_emitted_twice(
    system: System, chance: random.Random
) -> None:
    await system.begin()
    await system.account("committee", "--role", "leader", "--email", COMMITTEE)
    await system.feed(1, chance)
    await system.settle()
    system.children["system"].kill()
    due = await system.reports_due()
    feeding = []
    for name in KILL_POINTS:
        # Each start is the recovery from the death before it.
        system.start(KILL=f"{name}:{chance.randint(1, 3)}")
        feeding.append(asyncio.create_task(system.feed(12, chance, at_once=1)))
        await system.died()
    system.start()
    await system.ready()
    await asyncio.gather(*feeding)
    told = await system.reported(due)
    await system.settle()
    await system.check()
    mailed = [m for m in system.sink.received if m.rcpt_to == [COMMITTEE]]
    uncertain = await system.fetch(
        "notification",
        "SELECT 1 FROM deliveries WHERE state = 'uncertain' AND kind = 'report' "
        "AND recipient = 'staff:committee'",
    )
    assert len(mailed) <= told <= len(mailed) + len(uncertain), (mailed, uncertain)


@pytest.mark.parametrize("system", ["whole", "apart"], indirect=True)
async def test_a_storm_of_kills_loses_nothing(system: System, chance: random.Random) -> None:
    await system.begin()
    feeding = asyncio.create_task(system.feed(LETTERS, chance))
    kafka, postgres = system.servers.kafka, system.servers.postgres
    assert kafka is not None
    assert postgres is not None
    victims = ["system", "kafka", "postgres", "system", "frozen kafka"]
    while not feeding.done() or victims:
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        victim = victims.pop(0) if victims else "system"
        if victim == "system":
            await system.kill_one(chance)
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
    await system.settle()
    await system.check()


async def test_a_lost_broker_comes_back_whole_and_notifies_nobody_twice(
    system: System, chance: random.Random
) -> None:
    await system.begin()
    await system.feed(40, chance)
    await system.settle()
    before = len(system.sink.received)
    order = {}
    for headers in await system.log():
        order.setdefault(headers["ce_subject"], []).append(headers["ce_id"])

    kafka = system.servers.kafka
    assert kafka is not None
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(_remove, kafka.logs)
    await kafka.start()
    await system.restored()
    await system.feed(10, chance)
    await system.settle()
    await system.check()
    assert len(system.sink.received) >= before + 10
    again = {}
    for headers in await system.log():
        again.setdefault(headers["ce_subject"], []).append(headers["ce_id"])
    for case, events in order.items():
        assert list(dict.fromkeys(again[case]))[: len(events)] == events


def _remove(path: Path) -> None:
    shutil.rmtree(path)
