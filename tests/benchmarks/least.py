"""The contract's least: what the agreed shape costs with the emptiest code on the same parts.

The events that a comment leaves up to its dispatch, told by the same services and read by the same
six readers, each in a group of its own and with a transaction per batch: lock the cases, write what
was taken in and what is told, commit; a relay per reader publishes its outbox. Gathered as the
system gathers. No event is parsed, nothing is decided, no row is kept of a case but the lock.

What the system costs beyond it is ours to take away. What it costs beyond the hops without a
database is the price of six independent services with a transaction each.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from starlette.requests import Request
from starlette.responses import JSONResponse

from shared.db.engine import service_address
from shared.ids import new_id
from shared.messaging.consumer import COMMIT_EVERY, MAX_RECORDS
from shared.messaging.pace import POLL_INTERVAL
from shared.messaging.partitions import PARTITIONS
from shared.messaging.producer import new_producer
from shared.messaging.subscriber import LINGER_BYTES
from shared.messaging.subscription import LINGER
from shared.service import Runtime

TOPIC = "bench.least"
RECEIVED, ROUTED, DISPATCHED = (
    "feedback.received.v1",
    "feedback.routed.v1",
    "case.dispatched.v1",
)
OPENED, PROMISES, SENT = "case.opened.v1", "sla.promises_changed.v1", "notification.sent.v1"
BODY = b'{"text": "' + b"x" * 680 + b'"}'


@dataclass(frozen=True)
class Role:
    """What a reader takes, and tells of each; how it gathers."""

    tells: dict[str, tuple[str, ...]]
    linger: float = 0.0
    urgent: frozenset[str] = frozenset()
    """With one of these nothing is gathered."""
    at_broker: int = 0
    """Milliseconds; such a reader asks the broker for nothing else."""


ROLES = {
    "intake": Role({}, at_broker=200),
    "routing": Role({RECEIVED: (ROUTED,)}),
    "desk": Role(
        {RECEIVED: (OPENED,), ROUTED: (DISPATCHED,), PROMISES: (), SENT: ()},
        linger=3 * LINGER,
        urgent=frozenset({RECEIVED, ROUTED}),
    ),
    "sla": Role(
        {RECEIVED: (PROMISES,), ROUTED: (), OPENED: (), DISPATCHED: (PROMISES,)}, linger=LINGER
    ),
    "notification": Role({RECEIVED: (), PROMISES: (), DISPATCHED: (SENT,)}, at_broker=500),
    "tracking": Role(
        dict.fromkeys((RECEIVED, OPENED, ROUTED, DISPATCHED, PROMISES, SENT), ()), at_broker=400
    ),
}

_TABLES = """
CREATE TABLE IF NOT EXISTS least_streams (feedback_id text PRIMARY KEY, taken int DEFAULT 0);
CREATE TABLE IF NOT EXISTS least_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text, type text, body bytea,
  published_at timestamptz);
CREATE INDEX IF NOT EXISTS least_waiting ON least_outbox (id) WHERE published_at IS NULL;
"""
_LOCK = """
INSERT INTO least_streams (feedback_id) SELECT unnest($1::text[])
ON CONFLICT (feedback_id) DO UPDATE SET taken = least_streams.taken RETURNING taken
"""
_TELL = """
INSERT INTO least_outbox (key, type, body)
SELECT key, type, $3::bytea FROM unnest($1::text[], $2::text[]) AS t(key, type)
"""
_TAKE = f"""
WITH told AS ({_TELL})
UPDATE least_streams SET taken = taken + 1 WHERE feedback_id = ANY($4::text[])
"""
_WAITING = "SELECT id, key, type, body FROM least_outbox WHERE published_at IS NULL ORDER BY id"
_MARK_AND_FETCH = f"""
WITH marked AS (UPDATE least_outbox SET published_at = now() WHERE id = ANY($1::bigint[]))
SELECT * FROM ({_WAITING}) AS w WHERE id <> ALL($1::bigint[])
"""


@dataclass
class Reader:
    """One of the six: a consumer, a connection for its transactions, and a relay."""

    role: Role
    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    database: asyncpg.Connection
    relays: asyncpg.Connection
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Case and type of what is committed."""
    transactions: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self) -> None:
        """For ever."""
        committed = time.monotonic()
        while True:
            found = await self._poll(0.5)
            end = time.monotonic() + self.role.linger
            if found and not self.role.urgent:
                await asyncio.sleep(self.role.linger)
                found += await self._poll(0)
            while found and self.role.urgent.isdisjoint(kind for _, kind in found):
                if not self.role.urgent or (left := end - time.monotonic()) <= 0:
                    break
                found += await self._poll(left)
            if found:
                await self.take(found)
                await asyncio.sleep(POLL_INTERVAL)
            if time.monotonic() - committed >= COMMIT_EVERY:
                committed = time.monotonic()
                await self.consumer.commit()

    async def _poll(self, seconds: float) -> list[tuple[str, str]]:
        batches = await self.consumer.getmany(
            timeout_ms=int(1000 * seconds), max_records=MAX_RECORDS
        )
        found = ((r.key.decode(), r.headers[0][1].decode()) for b in batches.values() for r in b)
        return [(case, kind) for case, kind in found if kind in self.role.tells]

    async def take(self, found: Sequence[tuple[str, str]]) -> None:
        """One transaction: lock, write what was taken in and what is told, commit."""
        cases = sorted({case for case, _ in found})
        told = [(case, more) for case, kind in found for more in self.role.tells[kind]]
        async with self._one, self.database.transaction():
            await self.database.fetch(_LOCK, cases)
            await self.database.fetch(
                _TAKE, [c for c, _ in told], [t for _, t in told], BODY, cases
            )
        self.transactions += 1
        self.taken.update(found)
        if told:
            self._wake.set()

    async def accept(self, request: Request) -> JSONResponse:
        """``POST /control/least``: one transaction, answered after it."""
        await request.json()
        case = new_id()
        async with self._one:
            await self.database.fetch(_TELL, [case], [RECEIVED], BODY)
        self.transactions += 1
        self._wake.set()
        return JSONResponse({"feedback_id": case}, 201)

    async def relay(self) -> None:
        """For ever: what is in the outbox, in order, marked by the statement that looks again."""
        done: list[int] = []
        while True:
            self._wake.clear()
            rows = await self.relays.fetch(_MARK_AND_FETCH, done)
            if not rows:
                done = []
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 0.5)
                continue
            sent = [
                await self.producer.send(
                    TOPIC,
                    value=row["body"],
                    key=row["key"].encode(),
                    headers=[("ce_type", row["type"].encode())],
                )
                for row in rows
            ]
            await asyncio.gather(*sent)
            done = [row["id"] for row in rows]


async def create(runtime: Runtime) -> None:
    """The topic, and two tables in each service's database."""
    admin = AIOKafkaAdminClient(bootstrap_servers=runtime.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    for name in ROLES:
        connection = await service_address(runtime.database, name).connect(name="bench")
        await connection.execute(_TABLES)
        await connection.close()


@asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[dict[str, Reader]]:
    """All six, joined and at the end of the topic, while the block lasts."""
    async with AsyncExitStack() as stack:
        readers = await asyncio.gather(*(_start(runtime, name, stack) for name in ROLES))
        for reader in readers:
            for task in (reader.read(), reader.relay()):
                stack.callback(asyncio.create_task(task).cancel)
        yield dict(zip(ROLES, readers, strict=True))


async def _start(runtime: Runtime, name: str, stack: AsyncExitStack) -> Reader:
    role, address = ROLES[name], service_address(runtime.database, name)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=runtime.kafka,
        group_id=f"least-{name}-{new_id()}",
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
        fetch_max_wait_ms=role.at_broker or 500,
        fetch_min_bytes=LINGER_BYTES if role.at_broker else 1,
    )
    await consumer.start()
    stack.push_async_callback(consumer.stop)
    producer = new_producer(runtime.kafka)
    await producer.start()
    stack.push_async_callback(producer.stop)
    connections = []
    for _ in range(2):
        connection = await address.connect(name="bench", command_timeout=60)
        stack.push_async_callback(connection.close)
        connections.append(connection)
    while not consumer.assignment():
        await asyncio.sleep(0.05)
    for partition in consumer.assignment():
        await consumer.position(partition)
    return Reader(role, consumer, producer, *connections)
