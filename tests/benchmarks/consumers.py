"""Each consuming service against a raw consume→publish loop, and against one commit per fact.

The log holds what 1,000 ordinary cases leave up to the dispatch. The raw loop reads, validates and
publishes every fact, without a database. The naive control is the same service with one poll, one
transaction and one offset commit per fact. What is told goes to a second broker, so that all read
the same log; a service is done when it has taken in every fact and every fact it told is published.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.__main__ import builds
from services.tracking.store.generation import PROJECTION
from shared.contracts import EVENTS, INBOUND_REJECTED, REGISTER, Event
from shared.contracts.desk import CaseDispatched, CaseOpened
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import FeedbackRouted
from shared.embedded import EmbeddedKafka, Servers
from shared.ids import new_id
from shared.messaging import consumer as consuming
from shared.messaging.envelope import headers_for
from shared.messaging.partitions import PARTITIONS
from shared.messaging.producer import new_producer
from shared.messaging.topics import create_topics
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.report import Report

CASES = 1_000
NAIVE_FACTS = 150
BLOCKS = 3
STILL = 60
"""Seconds without a fact taken in after which something broke."""
_generations = count(2)

Measured = tuple[float, float]
"""Facts a second, CPU microseconds per fact."""


def story(runtime: Runtime, case: str) -> list[Event]:
    """What the log has of one case up to its dispatch."""
    now = runtime.clock.now()
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


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """Raw, service, naive, in turns, for every service."""
    facts = 4 * CASES
    print(f"\nconsumers: a log of {facts} facts of {CASES} cases, {BLOCKS} blocks")
    assert servers.kafka_address
    kafka = EmbeddedKafka(runtime.settings.data / "bench-consumers")
    address = await kafka.start()
    try:
        await asyncio.gather(create_topics(address), create_topics(servers.kafka_address))
        per_case = await _fill(runtime, address)
        await _raw(address, servers.kafka_address)
        for name, build in builds().items():
            if name == "intake":
                continue
            raw: list[Measured] = []
            ours: list[Measured] = []
            naive: list[Measured] = []
            for _ in range(BLOCKS):
                raw.append(await _raw(address, servers.kafka_address))
                ours.append(await _whole(build, runtime, address, per_case))
                naive.append(await _naive(build, runtime, address))
            _say(report, name, raw, ours, naive)
    finally:
        await kafka.stop()


def _say(
    report: Report, name: str, raw: list[Measured], ours: list[Measured], naive: list[Measured]
) -> None:
    for what, found in ((name, ours), ("raw loop", raw), ("one commit per fact", naive)):
        report.figure(what, [rate for rate, _ in found], "facts/s")
        report.figure("  cpu per fact", [cpu for _, cpu in found], "µs")
    rates = [rate for rate, _ in ours]
    report.ratio(
        f"{name} / raw loop", rates, [rate for rate, _ in raw], goal=0.40, fails=LIMITS[name]
    )
    report.ratio(
        f"{name} / raw loop, cpu", [cpu for _, cpu in ours], [cpu for _, cpu in raw],
        goal=2.5, fails=60, at_most=True,
    )  # fmt: skip
    report.ratio(
        f"{name} / one commit per fact", rates, [rate for rate, _ in naive], goal=20, fails=3
    )


LIMITS = {"routing": 0.03, "desk": 0.02, "sla": 0.04, "notification": 0.05, "tracking": 0.07}
"""Against the raw loop, a third of what was measured: below that something broke."""


async def _fill(runtime: Runtime, address: str) -> list[Event]:
    """Write the log; gives the facts of one case."""
    producer = new_producer(address)
    await producer.start()
    waiting = []
    for _ in range(CASES):
        case = new_id()
        sequences: dict[str, int] = {}
        for event in (facts := story(runtime, case)):
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
    return facts


async def _raw(address: str, elsewhere: str) -> Measured:
    """Read, validate, publish: what a loop without memory can do."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    producer = new_producer(elsewhere)
    await asyncio.gather(consumer.start(), producer.start())
    partitions = [TopicPartition(EVENTS, n) for n in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    start, cpu, seen = time.perf_counter(), time.process_time(), 0
    while seen < CASES * 4:
        batches = await consumer.getmany(timeout_ms=500, max_records=consuming.MAX_RECORDS)
        waiting = []
        for batch in batches.values():
            for r in batch:
                kind = REGISTER[dict(r.headers)["ce_type"].decode()]
                event = kind.model_validate_json(r.value)
                waiting.append(
                    await producer.send(
                        INBOUND_REJECTED,
                        value=event.model_dump_json().encode(),
                        key=r.key,
                        headers=list(r.headers),
                    )
                )
        await asyncio.gather(*waiting)
        seen += len(waiting)
    measured = _per_fact(seen, start, cpu)
    await asyncio.gather(consumer.stop(), producer.stop())
    return measured


async def _whole(
    build: Callable[[Runtime], Service], runtime: Runtime, address: str, per_case: list[Event]
) -> Measured:
    """The whole log through the service, from an empty database to the last fact it told."""
    async with _running(build, runtime, address, consuming.MAX_RECORDS) as service:
        wanted = CASES * sum(_is_for(service, e) for e in per_case)
        consumer = service.consumer
        assert consumer is not None
        first = await _first(service)
        start, cpu = time.perf_counter(), time.process_time()
        done, moved = first, start
        while done < wanted:
            await asyncio.sleep(0.01)
            if consumer.health.processed > done:
                done, moved = consumer.health.processed, time.perf_counter()
            assert time.perf_counter() - moved < STILL, f"{service.name} stands still"
        while await _count(service, "SELECT count(*) FROM outbox WHERE published_at IS NULL"):
            await asyncio.sleep(0.01)
        measured = _per_fact(wanted - first, start, cpu)
        cases = await _count(service, "SELECT count(*) FROM streams WHERE taken <> '{}'")
        assert cases == CASES, f"{service.name}: took {cases} cases in, of {CASES}"
        return measured


def _is_for(service: Service, event: Event) -> bool:
    subscription, own = service.subscription, event.owner == service.name
    concerns = subscription.concerns.get(type(event))
    wanted = subscription.wants(event.topic, event.type, own=own)
    return wanted and (concerns is None or concerns(event))


async def _naive(build: Callable[[Runtime], Service], runtime: Runtime, address: str) -> Measured:
    """The same service, fact by fact, each with its own commits."""
    every, consuming.COMMIT_EVERY = consuming.COMMIT_EVERY, 0.0
    try:
        async with _running(build, runtime, address, 1) as service:
            assert service.consumer is not None
            first = await _first(service)
            start, cpu = time.perf_counter(), time.process_time()
            while (seen := service.consumer.health.processed) < first + NAIVE_FACTS:
                await asyncio.sleep(0.002)
            return _per_fact(seen - first, start, cpu)
    finally:
        consuming.COMMIT_EVERY = every


@asynccontextmanager
async def _running(
    build: Callable[[Runtime], Service], runtime: Runtime, address: str, records: int
) -> AsyncIterator[Service]:
    """The service on an empty database: it tells the system's broker and reads the other's log."""
    here = replace(runtime)
    service = await support.prepared(build, here)
    for seed in service.seeds:
        await seed(False)
    service.max_records, service.jobs = records, {}
    group = new_id()
    if service.name == "tracking":
        # Its group is the generation of its views.
        generation = next(_generations)
        group = f"tracking-{generation}"
        async with service.engine.begin() as connection:
            await connection.exec_driver_sql(
                f"INSERT INTO generation (one, number, projection) VALUES (1, {generation}, "
                f"{PROJECTION}) ON CONFLICT (one) DO UPDATE SET number = EXCLUDED.number"
            )
    await service.start()
    try:
        here.kafka = address
        await service.rejoin(group)
        yield service
    finally:
        await service.stop()


async def _first(service: Service) -> int:
    """How many facts the first poll brought; from there on it is measured."""
    assert service.consumer is not None
    began = time.perf_counter()
    while not service.consumer.health.processed:
        assert time.perf_counter() - began < STILL, f"{service.name} does not begin"
        await asyncio.sleep(0.001)
    return service.consumer.health.processed


async def _count(service: Service, statement: str) -> int:
    async with service.engine.connect() as connection:
        return int((await connection.exec_driver_sql(statement)).scalar_one())


def _per_fact(facts: int, start: float, cpu: float) -> Measured:
    spent = time.process_time() - cpu
    return facts / (time.perf_counter() - start), spent / facts * 1e6
