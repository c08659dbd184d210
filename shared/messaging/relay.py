"""From the outbox to the log, in order, one relay per service database.

The relay holds a session advisory lock on a connection of its own; a second process waits for it.
It sends the oldest unpublished rows, awaits every acknowledgement, and marks them in the same
statement that fetches the next. At the first failure it starts again from the same row. There is
no "last id" cursor: ids commit out of order, and a cursor would pass over the late ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging.failures import DRIVER_ERRORS, Backoff, is_transient
from shared.messaging.kill_points import kill_point
from shared.messaging.topics import cluster_id
from shared.tasks import end

log = structlog.get_logger()

BATCH = 500
SWEEP = 0.5
"""Seconds after which the relay looks even if nobody woke it."""
GIVE_WAY = 0.05
"""Seconds for which the relay waits while the service says that it is busy."""
_LOCK_KEY = 0x46_45_45_44
_STATEMENT = """
WITH marked AS (
  UPDATE outbox o SET published_at = now(), partition = m.partition, "offset" = m.place,
         generation = (SELECT generation FROM log_state)
  FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS m(id, partition, place)
  WHERE o.id = m.id
)
SELECT id, topic, key, headers, body FROM outbox
WHERE published_at IS NULL AND id <> ALL($1::bigint[])
ORDER BY id LIMIT $4
"""


@dataclass
class RelayHealth:
    """What the outside may know of a relay."""

    holds_lock: bool = False
    error: str | None = None
    waiting: int = 0
    oldest_seconds: float = 0.0
    published: int = 0
    looked_at: float = field(default_factory=time.monotonic)


async def is_relayed(engine: AsyncEngine) -> bool:
    """True while some process runs this service: its relay holds the lock of the database."""
    async with engine.connect() as connection:
        free = await connection.scalar(
            text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}
        )
        if free:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})
        return not free


class LogLost(Exception):
    """The broker no longer has what this outbox was told it has: restore-log is needed."""


class Relay:
    """Publishes the outbox of one service database.

    `on_wipe` is called when the broker turns out to have lost the log; while `busy` answers true,
    sending waits a moment.
    """

    def __init__(
        self,
        service: str,
        *,
        database: str,
        role: str | None,
        kafka: str,
        on_wipe: Callable[[str], None],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.service = service
        self.health = RelayHealth()
        self._database, self._role, self._kafka = database, role, kafka
        self._wake = asyncio.Event()
        self._on_wipe, self._busy = on_wipe, busy
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something was committed to the outbox."""
        self._wake.set()

    async def start(self) -> None:
        """Begin publishing in the background."""
        self._task = asyncio.create_task(self._run(), name=f"relay.{self.service}")
        self._watch = asyncio.create_task(self._measure(), name=f"relay-watch.{self.service}")

    async def stop(self) -> None:
        """Stop at once: what is unpublished stays in the outbox and goes out at the next start."""
        await end((self._task, self._watch))

    async def _run(self) -> None:
        backoff = Backoff(first=0.5, longest=10)
        while True:
            try:
                await self._publish_until_broken(backoff)
            except LogLost as lost:
                self.health.error = str(lost)
                self._on_wipe(str(lost))
                return
            except Exception as error:
                # The relay has one answer to every failure: begin again from the same row.
                self.health.error = f"{type(error).__name__}: {error}"[:200]
                if not is_transient(error):
                    log.error("relay failed", service=self.service, error=self.health.error)
                await asyncio.sleep(backoff.next())

    async def _publish_until_broken(self, backoff: Backoff) -> None:
        connection = await asyncpg.connect(
            self._database,
            timeout=5,
            command_timeout=15,
            server_settings={"application_name": f"relay.{self.service}"}
            | ({"role": self._role} if self._role else {}),
        )
        producer: AIOKafkaProducer | None = None
        try:
            self.health.holds_lock = False
            # Another process publishes: stand by until its connection ends.
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_KEY):
                await asyncio.sleep(0.5)
            self.health.holds_lock = True
            producer = new_producer(self._kafka)
            await producer.start()
            await check_log(connection, self._kafka)
            self.health.error = None
            backoff.reset()
            await self._publish(connection, producer)
        finally:
            self.health.holds_lock = False
            connection.terminate()
            if producer is not None:
                await _give_up(producer)

    async def _publish(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> None:
        statement = await connection.prepare(_STATEMENT)
        ids: list[int] = []
        partitions: list[int] = []
        places: list[int] = []
        while True:
            # Cleared before the look: a commit after it wakes us again, one before it is seen.
            self._wake.clear()
            rows = await statement.fetch(ids, partitions, places, BATCH)
            self.health.published += len(ids)
            self.health.looked_at = time.monotonic()
            ids, partitions, places = [], [], []
            if not rows:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP):
                        await self._wake.wait()
                continue
            await self._give_way()
            kill_point("relay.before_send")
            sent = [
                await producer.send(
                    row["topic"],
                    value=row["body"],
                    key=None if row["key"] is None else row["key"].encode(),
                    headers=[(k, v.encode()) for k, v in json.loads(row["headers"]).items()],
                )
                for row in rows
            ]
            for row, acknowledged in zip(rows, await asyncio.gather(*sent), strict=True):
                ids.append(row["id"])
                partitions.append(acknowledged.partition)
                places.append(acknowledged.offset)
            kill_point("relay.after_ack")

    async def _give_way(self) -> None:
        """Let accepting go first, but not for long: an answered comment should also be seen."""
        end = time.monotonic() + GIVE_WAY
        while self._busy() and time.monotonic() < end:
            await asyncio.sleep(0.002)

    async def _measure(self) -> None:
        """Watch the outbox from a second connection: a stuck relay cannot report itself."""
        while True:
            try:
                connection = await asyncpg.connect(
                    self._database,
                    timeout=5,
                    command_timeout=5,
                    server_settings={"role": self._role} if self._role else {},
                )
                try:
                    while True:
                        row = await connection.fetchrow(
                            "SELECT count(*) AS n, coalesce(extract(epoch FROM now() - "
                            "min(created_at)), 0) AS age FROM outbox WHERE published_at IS NULL"
                        )
                        assert row is not None
                        self.health.waiting = row["n"]
                        self.health.oldest_seconds = float(row["age"])
                        await asyncio.sleep(2)
                finally:
                    connection.terminate()
            except (OSError, TimeoutError, *DRIVER_ERRORS):
                await asyncio.sleep(2)


def new_producer(kafka: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas; it keeps order across its retries."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        request_timeout_ms=10_000,
        retry_backoff_ms=500,
        max_request_size=4 * 1024 * 1024,
        partitioner=choose_partition,
    )


def choose_partition(key: bytes | None, partitions: list[int], available: list[int]) -> int:
    """The partition Kafka's own clients choose; a case has many facts and is hashed once."""
    if key is None:
        return random.choice(available or partitions)
    return partitions[_hash(key) % len(partitions)]


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


async def check_log(connection: asyncpg.Connection, kafka: str) -> None:
    """Refuse to add to a log that has lost what this outbox already put there.

    Raises `LogLost`. The first time, the broker's identity is written down.
    """
    cluster = await cluster_id(kafka)
    state = await connection.fetchrow("SELECT cluster_id, restoring FROM log_state")
    if state is None:
        raise RuntimeError("log_state is empty: run the set-up")
    if state["restoring"]:
        raise LogLost("restore-log was interrupted; run it again")
    ends = await _recorded_ends(connection)
    if state["cluster_id"] not in (None, cluster) and ends:
        raise LogLost("the broker is another one than before; run restore-log")
    await _compare(kafka, ends)
    if cluster != state["cluster_id"]:
        await connection.execute("UPDATE log_state SET cluster_id = $1", cluster)


async def _recorded_ends(connection: asyncpg.Connection) -> dict[tuple[str, int], int]:
    rows = await connection.fetch(
        'SELECT topic, partition, max("offset") AS last FROM outbox '
        'WHERE "offset" IS NOT NULL AND generation = (SELECT generation FROM log_state) '
        "GROUP BY 1, 2"
    )
    return {(r["topic"], r["partition"]): r["last"] for r in rows}


async def _compare(kafka: str, ends: dict[tuple[str, int], int]) -> None:
    if not ends:
        return
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, request_timeout_ms=10_000)
    await consumer.start()
    try:
        present = await consumer.end_offsets([TopicPartition(t, p) for t, p in ends])
    finally:
        await consumer.stop()
    for (topic, partition), last in ends.items():
        if present[TopicPartition(topic, partition)] <= last:
            raise LogLost(f"{topic}[{partition}] ends before offset {last}; run restore-log")


async def _give_up(producer: AIOKafkaProducer) -> None:
    """Close without draining: the rows are still in the outbox, and the broker may be away."""
    try:
        await asyncio.wait_for(producer.stop(), 1)
    except (TimeoutError, KafkaError, OSError):
        sender = getattr(producer, "_sender", None)
        if sender is not None:
            await sender.close()
        await producer.client.close()
