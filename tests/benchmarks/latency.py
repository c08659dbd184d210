"""From the door to the department: all services in one process, beside a chain without database.

The facts are watched from outside, in the topic. The control has the same hops and nothing else:
a plain route publishes ``feedback.received``, a loop reads it and publishes ``feedback.routed``,
another reads that and publishes ``case.dispatched``; the system stands idle meanwhile. Beside both
stands the contract's least (`least.py`): the same events, readers and transactions, without a
domain.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.__main__ import builds
from shared.clock import Clock
from shared.contracts import EVENTS, Event
from shared.contracts.desk import CaseDispatched
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import FeedbackRouted
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging.directory import DirectoryReader
from shared.messaging.envelope import headers_for
from shared.messaging.partitions import PARTITIONS
from shared.messaging.producer import new_producer
from shared.messaging.topics import create_topics
from shared.process import _settle_memory, set_up
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests import support
from tests.benchmarks import least
from tests.benchmarks.load import letter
from tests.benchmarks.processes import cpu_of
from tests.benchmarks.report import Report, percentile

CONTROL = "bench.chain"
STEPS = ("feedback.received.v1", "feedback.routed.v1", "case.dispatched.v1")
RATES = ((3, 8, 4, 100), (20, 5, 4, 300), (100, 3, 8, 1000))
"""Comments a second, for so many seconds, the goal of time, and what fails."""
CPU = (2, 20)
"""CPU per comment against the hops without a database: the goal, and what fails."""
IDLE_SECONDS = 4.0
"""What the process takes at rest is measured before each pair of blocks: at 3 comments a second it
is three times what the hops without a database take."""
BLOCKS = 3
WAIT = 60


@dataclass
class Block:
    """Milliseconds from the request to each step, and CPU milliseconds per comment.

    `servers` is the CPU of database and broker beside it."""

    took: dict[str, list[float]]
    cpu: float
    servers: float


@dataclass
class Seen:
    """When which fact of which case came out of which topic."""

    at: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def watch(self, watcher: AIOKafkaConsumer) -> None:
        """Write down what comes, for ever."""
        while True:
            for batch in (await watcher.getmany(timeout_ms=500)).values():
                now = time.perf_counter()
                for r in batch:
                    self.at.setdefault((r.topic, r.key.decode(), _type(r)), now)


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """Control, system, control, system … at each rate."""
    assert servers.kafka_address
    await create_topics(servers.kafka_address)
    services = {name: build(runtime) for name, build in builds().items()}
    await set_up(services.values(), runtime.kafka, demo=False)
    async with AsyncExitStack() as stack:
        reader = DirectoryReader(runtime.directory, runtime.kafka)
        await reader.start()
        stack.push_async_callback(reader.stop)
        chain = await _Chain.start(runtime, stack)
        for service in services.values():
            await service.start()
            stack.push_async_callback(service.stop)
        await least.create(runtime)
        readers: dict[str, least.Reader] = {}

        async def accept_least(request: Request) -> JSONResponse:
            return await readers["intake"].accept(request)

        services["intake"].hot_routes += [
            Route("/control/chain", chain.accept, methods=["POST"]),
            Route("/control/least", accept_least, methods=["POST"]),
        ]
        client = await stack.enter_async_context(
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(web_app(runtime, services, lambda: [])),
                base_url="http://bench",
                headers={"Authorization": f"Bearer {support.adapter_token(runtime, 'b')}"},
            )
        )
        seen = Seen()
        watching = asyncio.create_task(seen.watch(await _reading(runtime, stack, EVENTS, CONTROL)))
        stack.callback(watching.cancel)
        while any(s.reasons() for s in services.values()):
            await asyncio.sleep(0.05)
        _settle_memory()
        bench = _Bench(client, seen, services["tracking"], readers)
        await bench.block("/control/chain", CONTROL, 20, 1)
        await bench.block("/api/feedback", EVENTS, 20, 2)
        for rate, seconds, goal, fails in RATES:
            print(f"\nlatency at {rate}/s: all services, load and watcher in one process")
            controls, ours, leasts, idle = [], [], [], []
            for _ in range(BLOCKS):
                bench.idle = await _idle()
                idle.append(100 * bench.idle[0])
                controls.append(await bench.block("/control/chain", CONTROL, rate, seconds))
                ours.append(await bench.block("/api/feedback", EVENTS, rate, seconds))
                async with least.running(runtime) as now, AsyncExitStack() as while_it_runs:
                    readers.update(now)
                    watcher = await _reading(runtime, while_it_runs, least.TOPIC)
                    while_it_runs.callback(asyncio.create_task(seen.watch(watcher)).cancel)
                    bench.idle = await _idle()
                    leasts.append(await bench.block("/control/least", least.TOPIC, rate, seconds))
            report.figure("at rest, taken off cpu per comment", idle, "% of a core")
            _say(report, rate, (goal, fails), controls, ours)
            _say_least(report, rate, controls, ours, leasts)


async def _idle() -> tuple[float, float]:
    """What share of a core this process, and its servers, take while nobody says anything."""
    before = _spent()
    await asyncio.sleep(IDLE_SECONDS)
    process, servers = (now - then for now, then in zip(_spent(), before, strict=True))
    return process / IDLE_SECONDS, servers / IDLE_SECONDS


def _spent() -> tuple[float, float]:
    """Seconds of CPU of this process, and of the servers it started."""
    own = time.process_time()
    return own, cpu_of(os.getpid()) - own


def _say_least(
    report: Report, rate: int, controls: list[Block], ours: list[Block], leasts: list[Block]
) -> None:
    for name, blocks in (("no database", controls), ("the system", ours), ("least", leasts)):
        report.figure(f"{name}, database and broker", [b.servers for b in blocks], "ms")
    report.figure("the contract's least, cpu per comment", [b.cpu for b in leasts], "ms")
    dispatched = [percentile(b.took[STEPS[-1]], 0.5) for b in leasts]
    report.figure("the contract's least, to case.dispatched, p50", dispatched, "ms")
    floor = [b.cpu / a.cpu for a, b in zip(controls, leasts, strict=True) if a.cpu]
    report.figure("the contract's least / no database, cpu", floor, "×")
    beyond = [b.cpu / a.cpu for a, b in zip(leasts, ours, strict=True) if a.cpu]
    report.figure("the system / the contract's least, cpu", beyond, "×")


def _say(
    report: Report,
    rate: int,
    limits: tuple[float, float],
    controls: list[Block],
    ours: list[Block],
) -> None:
    at = {}
    for name, blocks in (("no database", controls), ("the system", ours)):
        for step in STEPS:
            for share in (0.5, 0.99):
                at[name, step, share] = [percentile(b.took[step], share) for b in blocks]
                report.figure(
                    f"{name}, to {step[:-3]}, p{share:.0%}"[:-1], at[name, step, share], "ms"
                )
        report.figure(f"{name}, cpu per comment", [b.cpu for b in blocks], "ms")
    goal, fails = limits
    for share in (0.5, 0.99):
        report.ratio(
            f"{rate}/s: the system / no database, p{share:.0%}"[:-1],
            at["the system", STEPS[-1], share],
            at["no database", STEPS[-1], share],
            goal=goal,
            fails=fails,
            at_most=True,
        )
    goal, fails = CPU
    report.ratio(
        f"{rate}/s: cpu per comment / no database",
        [b.cpu for b in ours],
        [b.cpu for b in controls],
        goal=goal,
        fails=fails,
        at_most=True,
    )


@dataclass
class _Bench:
    client: httpx2.AsyncClient
    seen: Seen
    tracking: Service
    readers: dict[str, least.Reader]
    idle: tuple[float, float] = (0.0, 0.0)
    """The share of a core that process and servers take at rest."""

    async def block(self, path: str, topic: str, rate: int, seconds: int) -> Block:
        """Send at `rate` and wait until the last comment is with its department."""
        sent: dict[str, float] = {}
        number, before, start = rate * seconds, _spent(), time.perf_counter()
        posts = []
        for n in range(number):
            await asyncio.sleep(max(0.0, start + n / rate - time.perf_counter()))
            posts.append(asyncio.create_task(self._post(path, n, sent)))
        await asyncio.gather(*posts)
        timeout = time.perf_counter() + WAIT
        while missing := [c for c in sent if (topic, c, STEPS[-1]) not in self.seen.at]:
            assert time.perf_counter() < timeout, f"{len(missing)} of {number} never dispatched"
            await asyncio.sleep(0.05)
        if topic != CONTROL:
            while (shown := await self._shown(topic, list(sent))) < number:
                assert time.perf_counter() < timeout, f"{shown} of {number} on the tracking page"
                await asyncio.sleep(0.05)
        took = {
            step: [1000 * (self.seen.at[topic, case, step] - at) for case, at in sent.items()]
            for step in STEPS
        }
        lasted = time.perf_counter() - start
        process, servers = (
            (now - then - rest * lasted) / number * 1e3
            for now, then, rest in zip(_spent(), before, self.idle, strict=True)
        )
        return Block(took, process, servers)

    async def _post(self, path: str, number: int, sent: dict[str, float]) -> None:
        start = time.perf_counter()
        answer = await self.client.post(path, json=letter(number, new_id()))
        assert answer.status_code == 201, answer.text
        sent[answer.json()["feedback_id"]] = start

    async def _shown(self, topic: str, cases: list[str]) -> int:
        if topic == least.TOPIC:
            taken = self.readers["tracking"].taken
            return sum((case, STEPS[-1]) in taken for case in cases)
        async with self.tracking.engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "SELECT count(*) FROM cases WHERE feedback_id = ANY($1::text[]) "
                "AND state = 'DISPATCHED'",
                (cases,),
            )
            return int(found.scalar_one())


class _Chain:
    """The hops and nothing else."""

    def __init__(self, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._producer, self._clock = producer, clock

    @classmethod
    async def start(cls, runtime: Runtime, stack: AsyncExitStack) -> _Chain:
        """A topic of its own, a producer, and the two loops."""
        admin = AIOKafkaAdminClient(bootstrap_servers=runtime.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(CONTROL, PARTITIONS, 1)])
        await admin.close()
        producer = new_producer(runtime.kafka)
        await producer.start()
        stack.push_async_callback(producer.stop)
        chain = cls(producer, runtime.clock)
        for waits_for, tells in (
            (FeedbackReceived, FeedbackRouted),
            (FeedbackRouted, CaseDispatched),
        ):
            consumer = await _reading(runtime, stack, CONTROL)
            hop = asyncio.create_task(chain._hop(consumer, waits_for, tells))
            stack.callback(hop.cancel)
        return chain

    async def accept(self, request: Request) -> JSONResponse:
        """``POST /control/chain``"""
        body = await request.json()
        case = new_id()
        await self._tell(
            FeedbackReceived(
                feedback_id=case,
                at=self._clock.now(),
                channel="web",
                text=body["text"],
                code_hash=case,
            )
        )
        return JSONResponse({"feedback_id": case}, 201)

    async def _hop(
        self, consumer: AIOKafkaConsumer, waits_for: type[Event], tells: type[Event]
    ) -> None:
        same = {"department": "space", "category": "seats", "case_type": "complaint"}
        more = {"confidence": 0.9} if tells is FeedbackRouted else {"decided": "rule"}
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            told = []
            for r in (r for batch in batches.values() for r in batch):
                if _type(r) == waits_for.type:
                    event = waits_for.model_validate_json(r.value)
                    told.append(
                        tells(
                            feedback_id=event.feedback_id,
                            at=self._clock.now(),
                            priority="P3",
                            **same,
                            **more,
                        )
                    )
            await asyncio.gather(*(self._tell(event) for event in told))

    async def _tell(self, event: Event) -> None:
        headers = headers_for(event, ce_id=new_id(), source="bench", sequence=1, cause=None)
        await self._producer.send_and_wait(
            CONTROL,
            value=event.model_dump_json(exclude_none=True).encode(),
            key=event.key.encode(),
            headers=[(k, v.encode()) for k, v in headers.items()],
        )


async def _reading(runtime: Runtime, stack: AsyncExitStack, *topics: str) -> AIOKafkaConsumer:
    """A consumer of its own of whole topics, from now on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=runtime.kafka)
    await consumer.start()
    stack.push_async_callback(consumer.stop)
    partitions = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)
    return consumer


def _type(record: ConsumerRecord) -> str:
    return dict(record.headers)["ce_type"].decode()
