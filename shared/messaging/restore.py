"""Sending the log again from the outboxes, after the broker lost it.

Every outbox row knows where it stood. The rows of all services are merged by that offset, so that
causes stay before their effects across services; rows never published come last. What consumers
remember of each case makes the repetition harmless. A new *generation* of offsets is begun first,
so that an interrupted restore goes on where it stopped: rows of the old generation are those still
to be sent.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING

import asyncpg

from shared.messaging.log_state import LogLost, check_log
from shared.messaging.outbox import (
    BATCH_BYTES,
    BATCH_ROWS,
    MARK,
    READY,
    RELAY_LOCK,
    by_bytes,
)
from shared.messaging.producer import Ack, columns, give_up, new_producer, send_rows
from shared.messaging.refusals import DROP_OVERTAKEN, FREE, TRIES, is_refusal, reason_of
from shared.messaging.topics import cluster_id, create_topics

if TYPE_CHECKING:
    from shared.service import Service

SortKey = tuple[float | str, ...]
Merged = tuple[str, asyncpg.Record]
"""A service and a row of its outbox."""
_COLUMNS = "SELECT id, topic, key, seq, headers, body, "
_PUBLISHED = by_bytes(
    _COLUMNS + 'generation, partition, "offset" FROM outbox '
    'WHERE generation < $1 AND published_at IS NOT NULL AND "offset" IS NOT NULL '
    'AND (generation, topic, partition, "offset") > ($2, $3, $4, $5) '
    'ORDER BY generation, topic, partition, "offset"',
    'generation, topic, partition, "offset"',
)
_UNPUBLISHED = by_bytes(
    _COLUMNS + "extract(epoch FROM created_at)::float8 AS created FROM outbox "
    f"WHERE {READY} AND id > $1 ORDER BY id",
    "id",
)
_MARK_ONLY = f"WITH {MARK} SELECT FROM marked"
# What was in the old log and is refused by the new one goes back to waiting, with all behind it.
_SET_ASIDE = """
UPDATE outbox SET published_at = NULL, partition = NULL, "offset" = NULL,
       refused = CASE WHEN id = $1 THEN $2 END
WHERE id = $1 OR seq > $4 AND key = $3
"""


class RelayRunning(RuntimeError):
    """A service is still publishing; stop all services first."""


async def lost_services(services: Iterable[Service], kafka: str) -> dict[str, LogLost]:
    """Services whose outbox says more than the broker has, with what is missing."""
    lost: dict[str, LogLost] = {}
    for service in services:
        connection = await _connect(service)
        try:
            await check_log(connection, kafka)
        except LogLost as error:
            lost[service.name] = error
        finally:
            await connection.close()
    return lost


async def restore_log(
    services: Iterable[Service], kafka: str, *, report: Callable[[str], None] = lambda _: None
) -> int:
    """Send everything again, in order; gives the number of records sent.

    Holds the relay lock of every service: `RelayRunning` when one is still publishing. Rows that
    were set aside are tried once more; rows the broker refuses now are set aside.
    """
    await create_topics(kafka)
    connections = {s.name: await _connect(s) for s in services}
    sender = _Sender(connections, kafka)
    try:
        for name, connection in connections.items():
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
                raise RelayRunning(f"{name} is still running; stop all services first")
        cluster = await cluster_id(kafka)
        generation = await _begin_generation(connections.values())
        await sender.start()
        count = "SELECT count(*) FROM outbox WHERE generation < $1"
        total = sum([await c.fetchval(count, generation) for c in connections.values()])
        batch: list[Merged] = []
        size = 0
        async for name, row in _merged(connections, generation):
            batch.append((name, row))
            size += len(row["body"] or b"")
            if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
                await sender.send(batch)
                batch, size = [], 0
                report(f"  {sender.sent} / {total}")
        await sender.send(batch)
        for connection in connections.values():
            await connection.execute("UPDATE log_state SET restoring = 0, cluster_id = $1", cluster)
            await connection.execute("DELETE FROM log_ends WHERE generation < $1", generation)
        report(f"  {sender.sent} events are back in the log")
        if sender.refused:
            report(f"  {sender.refused} were refused by the broker and are set aside (send-again)")
        return sender.sent
    finally:
        await sender.stop()
        for connection in connections.values():
            await connection.close()


async def _begin_generation(connections: Iterable[asyncpg.Connection]) -> int:
    """The generation of this restore: a new one, or that of the one which was interrupted."""
    connections = list(connections)
    states = [await c.fetchrow("SELECT generation, restoring FROM log_state") for c in connections]
    generation: int = max(s["restoring"] for s in states) or 1 + max(
        s["generation"] for s in states
    )
    for connection in connections:
        await connection.execute("UPDATE log_state SET restoring = $1, generation = $1", generation)
        await connection.execute(DROP_OVERTAKEN)
        await connection.execute(FREE)
    return generation


class _Sender:
    """Sends merged rows and marks them; sets aside what the broker refuses for good."""

    def __init__(self, connections: dict[str, asyncpg.Connection], kafka: str) -> None:
        self.sent = self.refused = 0
        self._connections, self._kafka = connections, kafka
        self._producer = new_producer(kafka)
        self._held: set[tuple[str, str]] = set()

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await give_up(self._producer)

    async def send(self, batch: list[Merged]) -> None:
        rest, tries = self._free(batch), 0
        while rest:
            # After a refusal its row goes alone, until it is known what the refusal is about.
            going = rest[:1] if tries else rest
            acks, failed = await send_rows(self._producer, [row for _, row in going])
            await self._mark(going, acks)
            done = {ack.index for ack in acks}
            rest = [one for index, one in enumerate(rest) if index not in done]
            if failed is None:
                tries = 0
                continue
            if not is_refusal(failed.error):
                raise failed.error
            await give_up(self._producer)
            self._producer = new_producer(self._kafka)
            await self._producer.start()
            tries += 1
            if tries > TRIES:
                await self._set_aside(*rest[0], reason_of(failed.error))
                rest, tries = self._free(rest[1:]), 0

    def _free(self, batch: list[Merged]) -> list[Merged]:
        if not self._held:
            return batch
        return [(n, r) for n, r in batch if r["seq"] is None or (n, r["key"]) not in self._held]

    async def _mark(self, batch: list[Merged], acks: list[Ack]) -> None:
        by_service: dict[str, list[Ack]] = {}
        for ack in acks:
            by_service.setdefault(batch[ack.index][0], []).append(ack)
        rows = [row for _, row in batch]
        for name, own in by_service.items():
            await self._connections[name].fetch(_MARK_ONLY, *columns(rows, own))
        self.sent += len(acks)

    async def _set_aside(self, name: str, row: asyncpg.Record, reason: str) -> None:
        await self._connections[name].execute(_SET_ASIDE, row["id"], reason, row["key"], row["seq"])
        self.refused += 1
        if row["seq"] is not None:
            self._held.add((name, row["key"]))


async def _merged(
    connections: dict[str, asyncpg.Connection], generation: int
) -> AsyncIterator[Merged]:
    """Rows of all outboxes by their old offset; the unpublished after all others, by age."""
    streams = [(name, _rows(c, generation)) for name, c in connections.items()]
    next_rows: list[tuple[SortKey, int, asyncpg.Record]] = []
    for index, (_, stream) in enumerate(streams):
        async for key, row in stream:
            heapq.heappush(next_rows, (key, index, row))
            break
    while next_rows:
        _, index, row = heapq.heappop(next_rows)
        name, stream = streams[index]
        yield name, row
        async for key, following in stream:
            heapq.heappush(next_rows, (key, index, following))
            break


async def _rows(
    connection: asyncpg.Connection, generation: int
) -> AsyncIterator[tuple[SortKey, asyncpg.Record]]:
    """One outbox in order, by keyset pages: no transaction stays open while it is sent."""
    offset: SortKey = (-1, "", -1, -1)
    while rows := await connection.fetch(_PUBLISHED, generation, *offset):
        for row in rows:
            offset = (row["generation"], row["topic"], row["partition"], row["offset"])
            yield (0, *offset), row
    last = -1
    while rows := await connection.fetch(_UNPUBLISHED, last):
        for row in rows:
            last = row["id"]
            yield (1, row["created"], last), row


async def _connect(service: Service) -> asyncpg.Connection:
    return await service.database.connect(
        name=f"restore.{service.name}", role=service.role, command_timeout=60
    )
