"""Sending the log again from the outboxes, after the broker lost it.

Every outbox row knows where it stood. The rows of all services are merged by that place, so that
causes stay before their effects across services; rows never published come last. Inboxes make the
repetition harmless. A new *generation* of places is begun first, so that an interrupted restore
goes on where it stopped: rows of the old generation are those still to be sent.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.db.engine import plain_url
from shared.messaging.relay import _LOCK_KEY, LogLost, check_log, new_producer
from shared.messaging.topics import cluster_id, create_topics

if TYPE_CHECKING:
    from shared.service import Service

_BATCH = 500


class RelayRunning(RuntimeError):
    """A service is still publishing; stop all services first."""


async def lost_services(services: Iterable[Service], kafka: str) -> dict[str, str]:
    """Services whose outbox says more than the broker has, with what is missing."""
    lost: dict[str, str] = {}
    for service in services:
        connection = await _connect(service)
        try:
            await check_log(connection, kafka)
        except LogLost as error:
            lost[service.name] = str(error)
        finally:
            await connection.close()
    return lost


async def restore_log(
    services: Iterable[Service], kafka: str, *, tell: Callable[[str], None] = lambda _: None
) -> int:
    """Send everything again, in order; gives the number of messages sent.

    Holds the relay lock of every service: `RelayRunning` when one is still publishing.
    """
    services = list(services)
    await create_topics(kafka)
    connections = {s.name: await _connect(s) for s in services}
    producer = new_producer(kafka)
    try:
        for name, connection in connections.items():
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_KEY):
                raise RelayRunning(f"{name} is still running; stop all services first")
        cluster = await cluster_id(kafka)
        generation = 1 + max(
            [await c.fetchval("SELECT generation FROM log_state") for c in connections.values()]
        )
        restoring = [
            await c.fetchval("SELECT restoring FROM log_state") for c in connections.values()
        ]
        if any(restoring):
            generation = max(restoring)
        for connection in connections.values():
            await connection.execute(
                "UPDATE log_state SET restoring = $1, generation = $1", generation
            )
        await producer.start()
        sent = 0
        total = sum(
            [
                await c.fetchval("SELECT count(*) FROM outbox WHERE generation < $1", generation)
                for c in connections.values()
            ]
        )
        batch: list[tuple[str, Any]] = []
        async for name, row in _merged(connections, generation):
            batch.append((name, row))
            if len(batch) == _BATCH:
                sent += await _send(producer, connections, batch, generation)
                batch = []
                tell(f"  {sent} / {total}")
        sent += await _send(producer, connections, batch, generation)
        for connection in connections.values():
            await connection.execute("UPDATE log_state SET restoring = 0, cluster_id = $1", cluster)
        tell(f"  {sent} facts are back in the log")
        return sent
    finally:
        await producer.stop()
        for connection in connections.values():
            await connection.close()


async def _merged(
    connections: dict[str, asyncpg.Connection], generation: int
) -> AsyncIterator[tuple[str, Any]]:
    """Rows of all outboxes by their old place; the unpublished after all others, by age."""
    streams = [_rows(name, c, generation) for name, c in connections.items()]
    heads: list[tuple[tuple[Any, ...], int, str, Any]] = []
    for n, stream in enumerate(streams):
        async for key, name, row in stream:
            heapq.heappush(heads, (key, n, name, row))
            break
    while heads:
        _, n, name, row = heapq.heappop(heads)
        yield name, row
        async for key, next_name, next_row in streams[n]:
            heapq.heappush(heads, (key, n, next_name, next_row))
            break


async def _rows(
    name: str, connection: asyncpg.Connection, generation: int
) -> AsyncIterator[tuple[tuple[Any, ...], str, Any]]:
    """One outbox in order, by keyset pages: no transaction stays open while it is sent."""
    published: tuple[Any, ...] = (-1, "", -1, -1)
    while True:
        rows = await connection.fetch(
            "SELECT id, topic, key, headers, body, generation AS g, partition AS p, "
            '"offset" AS o FROM outbox WHERE generation < $1 AND published_at IS NOT NULL '
            'AND (generation, topic, partition, "offset") > ($2, $3, $4, $5) '
            'ORDER BY generation, topic, partition, "offset" LIMIT $6',
            generation,
            *published,
            _BATCH,
        )
        if not rows:
            break
        for row in rows:
            published = (row["g"], row["topic"], row["p"], row["o"])
            yield (0, *published), name, row
    last = -1
    while True:
        rows = await connection.fetch(
            "SELECT id, topic, key, headers, body, created_at FROM outbox "
            "WHERE published_at IS NULL AND generation < $1 AND id > $2 ORDER BY id LIMIT $3",
            generation,
            last,
            _BATCH,
        )
        if not rows:
            return
        for row in rows:
            last = row["id"]
            yield (1, row["created_at"], last), name, row


async def _send(
    producer: Any,
    connections: dict[str, asyncpg.Connection],
    batch: list[tuple[str, Any]],
    generation: int,
) -> int:
    """Send a batch in order and write down the new places."""
    waiting = [
        await producer.send(
            row["topic"],
            value=row["body"],
            key=None if row["key"] is None else row["key"].encode(),
            headers=[(k, v.encode()) for k, v in json.loads(row["headers"]).items()],
        )
        for _, row in batch
    ]
    places: dict[str, list[tuple[int, int, int]]] = {}
    for (name, row), future in zip(batch, waiting, strict=True):
        record = await future
        places.setdefault(name, []).append((row["id"], record.partition, record.offset))
    for name, rows in places.items():
        await connections[name].execute(
            'UPDATE outbox o SET published_at = now(), partition = m.p, "offset" = m.o, '
            "generation = $4 FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS m(id, p, o) "
            "WHERE o.id = m.id",
            *(list(c) for c in zip(*rows, strict=True)),
            generation,
        )
    return len(batch)


async def _connect(service: Service) -> asyncpg.Connection:
    return await asyncpg.connect(
        plain_url(service.url),
        timeout=5,
        command_timeout=60,
        server_settings={"role": service.role} if service.role else {},
    )
