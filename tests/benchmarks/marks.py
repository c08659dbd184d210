"""From the due moment to the mark, where 1,000,000 clocks are open. The domain decides each mark.

The service runs as ever, with its relay and its consumer; a watcher of the topic sees the marks.
So lateness includes the way into the log, and a burst is over when its last mark is in the log.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.sla.app import build
from services.sla.store import look
from shared.contracts import EVENTS
from shared.contracts.desk import CaseDispatched
from shared.contracts.intake import FeedbackReceived
from shared.contracts.routing import FeedbackRouted
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging.partitions import PARTITIONS
from shared.messaging.topics import create_topics
from shared.process import _settle_memory
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.report import Report, percentile
from tests.benchmarks.seeding import Copies, multiply

CLOCKS = 1_000_000
TEMPLATES = 40
ONE_BY_ONE = 600
EVERY = timedelta(milliseconds=25)
BURST = 5_000
BLOCKS = 3
LOOKS = 300
MARK = "sla.breached.v1"

# The breach of so many accept clocks comes at these moments; what was due before is marked, and
# what comes after it is far away.
_COME_DUE = """
UPDATE clocks SET
  due = wanted.at, next_check_at = wanted.at,
  marked = (
    SELECT coalesce(jsonb_agg(s->'level'), '[]') FROM jsonb_array_elements(steps) s
    WHERE (s->>'level')::int < 100
  ),
  steps = (
    SELECT jsonb_agg(jsonb_set(s, '{at}', to_jsonb(
      wanted.at + ((s->>'level')::int - 100) * interval '1 day')))
    FROM jsonb_array_elements(steps) s
  )
FROM (
  SELECT feedback_id, $2::timestamptz + row_number() OVER () * $3::interval AS at
  FROM clocks WHERE clock = 'ACCEPT' AND breached_at IS NULL AND next_check_at > $4 LIMIT $1
) AS wanted
WHERE clocks.feedback_id = wanted.feedback_id AND clock = 'ACCEPT'
RETURNING clocks.feedback_id, clocks.due
"""


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """Lateness one by one, then bursts, then looks at nothing."""
    print(f"\nmarks: {CLOCKS:,} open clocks, {ONE_BY_ONE} one by one, {BLOCKS} × {BURST:,} at once")
    assert servers.kafka_address
    await create_topics(servers.kafka_address)
    service = await support.prepared(build, runtime)
    for seed in service.seeds:
        await seed(False)
    await _open_clocks(service)
    await service.start()
    connection = await service.database.connect(name="bench", command_timeout=600)
    try:
        async with _watch(servers.kafka_address) as marked:
            while service.reasons():
                await asyncio.sleep(0.05)
            _settle_memory()
            await _burst(connection, marked, service, 200)
            late = await _one_by_one(connection, marked, service)
            bursts = [await _burst(connection, marked, service, BURST) for _ in range(BLOCKS)]
        looks = await _looks(service)
        await _is_right(connection)
    finally:
        await connection.close()
        await service.stop()
    p99 = percentile(late, 0.99)
    report.figure("due moment → mark in the log, p50", [percentile(late, 0.5)], "ms")
    report.figure("due moment → mark in the log, p99", [p99], "ms")
    report.figure("marks of a burst", [rate for rate, _ in bursts], "marks/s")
    report.figure("  cpu per mark, without database", [cpu for _, cpu in bursts], "µs")
    report.figure("an idle look", [percentile(looks, 0.5)], "ms")
    report.limit("due moment → mark, p99", p99, "ms", goal=50, fails=2_000)
    rate = statistics.median(rate for rate, _ in bursts)
    report.limit("a burst", rate, "marks/s", goal=5_000, fails=50, at_least=True)
    report.limit("idle look", percentile(looks, 0.5), "ms", goal=0.25, fails=25)


async def _open_clocks(service: Service) -> None:
    """Cases with their department: three clocks run in each."""
    now = service.runtime.clock.now()
    same = {"department": "space", "category": "seats", "case_type": "complaint", "priority": "P3"}
    ids = [new_id() for _ in range(TEMPLATES)]
    for case in ids:
        await support.process_batch(
            service,
            FeedbackReceived(feedback_id=case, at=now, channel="web", text="x", code_hash=case),
            FeedbackRouted(feedback_id=case, at=now, confidence=0.9, **same),
            CaseDispatched(feedback_id=case, at=now, decided="rule", **same),
        )
    open_now = (
        "SELECT count(*) FROM clocks WHERE met_at IS NULL AND cancelled_at IS NULL "
        "AND next_check_at IS NOT NULL"
    )
    async with service.engine.begin() as connection:
        running = (await connection.exec_driver_sql(open_now)).scalar_one()
        # What making them emitted is not to be sent; and nothing comes due but what is asked for.
        await connection.exec_driver_sql("DELETE FROM outbox")
        await connection.exec_driver_sql(
            "UPDATE clocks SET next_check_at = next_check_at + interval '10 years'"
        )
    started = time.monotonic()
    await multiply(service.database, Copies(ids, CLOCKS // running, timedelta(seconds=1)))
    async with service.engine.connect() as connection:
        running = (await connection.exec_driver_sql(open_now)).scalar_one()
    print(f"  {running:,} open clocks made in {time.monotonic() - started:.0f} s", flush=True)


@asynccontextmanager
async def _watch(kafka: str) -> AsyncIterator[dict[str, float]]:
    """Case → when the mark of its clock came out of the topic (seconds since the epoch)."""
    marked: dict[str, float] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    partitions = [TopicPartition(EVENTS, n) for n in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)

    async def read() -> None:
        while True:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                now = time.time()
                marked.update({r.key.decode(): now for r in batch if _type(r) == MARK})

    reading = asyncio.create_task(read())
    try:
        yield marked
    finally:
        reading.cancel()
        await consumer.stop()


async def _come_due(
    connection: asyncpg.Connection, service: Service, number: int, first: datetime, every: timedelta
) -> dict[str, datetime]:
    far = service.runtime.clock.now() + timedelta(days=365)
    rows = await connection.fetch(_COME_DUE, number, first, every, far)
    assert len(rows) == number
    # As the transaction that moves a deadline does after its commit.
    service.deps.look_at(first)
    return {row["feedback_id"]: row["due"] for row in rows}


async def _one_by_one(
    connection: asyncpg.Connection, marked: dict[str, float], service: Service
) -> list[float]:
    """Milliseconds from each due moment to its mark."""
    first = service.runtime.clock.now() + timedelta(seconds=5)
    due = await _come_due(connection, service, ONE_BY_ONE, first, EVERY)
    await _all_marked(due, marked)
    return [1000 * (marked[case] - at.timestamp()) for case, at in due.items()]


async def _burst(
    connection: asyncpg.Connection, marked: dict[str, float], service: Service, number: int
) -> tuple[float, float]:
    """Marks a second from the due moment of all to the last mark, and CPU µs per mark."""
    at = service.runtime.clock.now() + timedelta(seconds=2 + number / 2_000)
    due = await _come_due(connection, service, number, at, timedelta(0))
    await asyncio.sleep((at - service.runtime.clock.now()).total_seconds())
    cpu = time.process_time()
    await _all_marked(due, marked)
    last = max(marked[case] for case in due)
    spent = time.process_time() - cpu
    return number / (last - at.timestamp()), spent / number * 1e6


async def _all_marked(due: dict[str, datetime], marked: dict[str, float]) -> None:
    end = time.monotonic() + 300
    while missing := len(due.keys() - marked.keys()):
        assert time.monotonic() < end, f"{missing} clocks were never marked"
        await asyncio.sleep(0.05)


async def _looks(service: Service) -> list[float]:
    """Milliseconds of a look that finds nothing, as the loop takes it when it wakes."""
    assert service.consumer is not None
    now = service.runtime.clock.now()
    everywhere = dict.fromkeys(range(PARTITIONS), now)
    took = []
    for _ in range(LOOKS):
        async with service.transaction() as tx:
            start = time.perf_counter()
            seen = await look(tx, everywhere, now)
            took.append(1000 * (time.perf_counter() - start))
        assert not seen.late
    return took


async def _is_right(connection: asyncpg.Connection) -> None:
    """Every clock that came due is marked once, by its row and by the outbox."""
    wanted = ONE_BY_ONE + BLOCKS * BURST + 200
    rows = await connection.fetchval("SELECT count(*) FROM clocks WHERE breached_at IS NOT NULL")
    sent = await connection.fetchval(
        "SELECT count(*) FROM outbox WHERE headers->>'ce_type' = $1", MARK
    )
    assert rows == sent == wanted, f"{rows} marked, {sent} emitted, {wanted} came due"


def _type(record: ConsumerRecord) -> str:
    return dict(record.headers)["ce_type"].decode()
