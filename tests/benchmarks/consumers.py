"""Each consuming service against a raw consume→publish loop, and against one commit per fact.

The facts are those that 2,000 ordinary cases leave up to the dispatch. The raw loop reads,
validates and publishes one fact per fact, without a database. The naive control is the same
service with one transaction, one offset commit and one poll per fact.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.__main__ import builds
from shared.contracts import EVENTS, REGISTER, Event
from shared.contracts.desk import CaseDispatched, CaseOpened
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import FeedbackRouted
from shared.embedded import EmbeddedKafka, Servers
from shared.ids import new_id
from shared.messaging import consumer as consuming
from shared.messaging.envelope import headers_for
from shared.messaging.relay import new_producer
from shared.messaging.topics import create_topics
from shared.service import House, Service
from tests import support
from tests.benchmarks.report import Report

CASES = 2_000
NAIVE_FACTS = 300
BLOCKS = 3


def story(house: House, case: str) -> list[Event]:
    """What the log has of one case up to its dispatch."""
    now = house.clock.now()
    same = {
        "department": "space",
        "category": "seats",
        "case_type": "complaint",
        "priority": "P3",
    }
    return [
        FeedbackReceived(
            feedback_id=case, at=now, channel="web", text="占座到底管不管？" * 6, code_hash=case
        ),
        FeedbackRouted(feedback_id=case, at=now, confidence=0.9, **same),
        CaseOpened(feedback_id=case, at=now),
        CaseDispatched(feedback_id=case, at=now + timedelta(seconds=1), decided="rule", **same),
    ]


async def run(servers: Servers, house: House, report: Report) -> None:
    """Every service on the same facts, on a broker of its own."""
    print(f"\nconsumers: {CASES * 4} facts of {CASES} cases")
    kafka = EmbeddedKafka(house.settings.data / "bench-consumers")
    address = await kafka.start()
    try:
        await create_topics(address)
        here = support.make_house(house.database, address, house.settings.data)
        await _fill(here, address)
        raw = [await _raw(address) for _ in range(BLOCKS)]
        raw_rate = report.figure("raw loop, no database", raw, "facts/s")
        for name, build in builds().items():
            if name == "intake":
                continue
            rates: list[float] = []
            naive: list[float] = []
            cpu: list[float] = []
            for _ in range(BLOCKS):
                rate, micros = await _service(build, here, 500, CASES * 4)
                rates.append(rate)
                cpu.append(micros)
                naive.append((await _service(build, here, 1, NAIVE_FACTS))[0])
            rate = report.figure(name, rates, "facts/s")
            report.figure(f"{name}, cpu per fact", cpu, "µs")
            control = report.figure(f"{name}, one commit per fact", naive, "facts/s")
            report.ratio(f"{name} / raw loop", rate, raw_rate, goal="≥ 0.50", floor=0.01)
            report.ratio(f"{name} / one commit per fact", rate, control, goal="≥ 40", floor=1.5)
    finally:
        await kafka.stop()


async def _fill(house: House, address: str) -> None:
    producer = new_producer(address)
    await producer.start()
    waiting = []
    for _ in range(CASES):
        case = new_id()
        sequences: dict[str, int] = {}
        for event in story(house, case):
            sequences[event.owner] = sequences.get(event.owner, 0) + 1
            headers = headers_for(
                event,
                ce_id=new_id(),
                source=event.owner,
                sequence=sequences[event.owner],
                cause=None,
            )
            waiting.append(
                await producer.send(
                    EVENTS,
                    value=event.model_dump_json(exclude_none=True).encode(),
                    key=case.encode(),
                    headers=[(k, v.encode()) for k, v in headers.items()],
                )
            )
    await asyncio.gather(*waiting)
    await producer.stop()


async def _raw(address: str) -> float:
    """Read, validate, publish: what a loop without memory can do."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    producer = new_producer(address)
    await asyncio.gather(consumer.start(), producer.start())
    partitions = [TopicPartition(EVENTS, n) for n in range(12)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    start, seen = time.perf_counter(), 0
    while seen < CASES * 4:
        batches = await consumer.getmany(timeout_ms=500, max_records=500)
        waiting = []
        for batch in batches.values():
            for r in batch:
                kind = REGISTER[dict(r.headers)["ce_type"].decode()]
                event = kind.model_validate_json(r.value)
                waiting.append(
                    await producer.send(
                        "feedback.inbound.rejected",
                        value=event.model_dump_json().encode(),
                        key=r.key,
                        headers=list(r.headers),
                    )
                )
        await asyncio.gather(*waiting)
        seen += len(waiting)
    rate = seen / (time.perf_counter() - start)
    await asyncio.gather(consumer.stop(), producer.stop())
    return rate


async def _service(
    build: Callable[[House], Service], house: House, records: int, facts: int
) -> tuple[float, float]:
    """Facts a second, and CPU microseconds per fact, of the service from an empty database."""
    service = await support.prepared(build, house)
    for seed in service.seeds:
        await seed(False)
    service.max_records = records
    every = consuming.COMMIT_EVERY
    consuming.COMMIT_EVERY = 0.0 if records == 1 else every
    try:
        # A group of its own reads from the beginning.
        service.group = new_id()
        service.starting = [
            call for call in service.starting if "group" not in getattr(call, "__name__", "")
        ]
        service.jobs = {}
        await service.start()
        service.group = new_id()
        assert service.consumer is not None
        health = service.consumer.health
        while health.taken_in == 0:
            await asyncio.sleep(0.002)
        start, cpu, first = time.perf_counter(), time.process_time(), health.taken_in
        wanted = facts if records == 1 else int(facts * 0.95)
        idle = 0
        while health.taken_in < wanted and idle < 200:
            before = health.taken_in
            await asyncio.sleep(0.01)
            idle = idle + 1 if health.taken_in == before else 0
        spent = time.perf_counter() - start - idle * 0.01
        done = max(1, health.taken_in - first)
        return done / spent, (time.process_time() - cpu) / done * 1e6
    finally:
        consuming.COMMIT_EVERY = every
        await service.stop()
