"""Sending rows to the log: idempotent, all replicas, no row past one of its partition that failed.

Rows go in *waves*: at most one record batch per partition, which the broker takes or refuses as a
whole, and the next wave only when all are answered. A case has one partition, so that nothing of it
is ever in the log before what was emitted earlier, whatever the broker refuses. It is also cheaper
than a future per record.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidTopicError, KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.messaging.brokers import client_options
from shared.messaging.partitions import choose_partition
from shared.messaging.topics import TOPICS

_BATCH_BYTES = 512 * 1024
"""Of a record batch: half of what a topic takes as it is shipped. One row may be larger."""

Row = Mapping[str, Any]
"""A row of the outbox: `topic`, `key`, `headers` (JSON text), `body`."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Where the row at `index` stands now."""

    index: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """Rows that were refused, or not answered, together; nothing behind them was sent."""

    indexes: list[int]
    error: Exception


@dataclass(slots=True)
class _Batch:
    builder: BatchBuilder
    indexes: list[int] = field(default_factory=list)


def new_producer(kafka: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas; it keeps order across its retries."""
    return AIOKafkaProducer(
        **client_options(kafka),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        request_timeout_ms=10_000,
        retry_backoff_ms=500,
        max_batch_size=_BATCH_BYTES,
        max_request_size=4 * 1024 * 1024,
        partitioner=choose_partition,
    )


async def give_up(producer: AIOKafkaProducer) -> None:
    """Close without draining: the rows are still in the outbox, and the broker may be away."""
    try:
        await asyncio.wait_for(producer.stop(), 1)
    except (TimeoutError, KafkaError, OSError):
        sender = getattr(producer, "_sender", None)
        if sender is not None:
            await sender.close()
        await producer.client.close()


async def send_rows(
    producer: AIOKafkaProducer, rows: Sequence[Row]
) -> tuple[list[Ack], NotSent | None]:
    """Send `rows` and await every acknowledgement; stops after the wave in which something failed.

    After a failure the producer is of no use: the sequence of a partition has a gap.
    """
    acks: list[Ack] = []
    rest: Sequence[int] = range(len(rows))
    while rest:
        wave, rest, failed = await _fill_wave(producer, rows, rest)
        if wave:
            answers = await asyncio.gather(
                *(_send(producer, tp, batch) for tp, batch in wave.items())
            )
            for answer in answers:
                if isinstance(answer, NotSent):
                    failed = failed or answer
                else:
                    acks += answer
        if failed is not None:
            return acks, failed
    return acks, None


async def _fill_wave(
    producer: AIOKafkaProducer, rows: Sequence[Row], indexes: Sequence[int]
) -> tuple[dict[TopicPartition, _Batch], list[int], NotSent | None]:
    """One batch per partition, and the rows for which there was no room."""
    wave: dict[TopicPartition, _Batch] = {}
    rest: list[int] = []
    full: set[TopicPartition] = set()
    for index in indexes:
        row = rows[index]
        try:
            if row["topic"] not in TOPICS:
                # aiokafka would ask for it again and again instead of saying so.
                raise InvalidTopicError(row["topic"])
            key = None if row["key"] is None else row["key"].encode()
            headers = [(k, v.encode()) for k, v in json.loads(row["headers"]).items()]
            partitions = sorted(await producer.partitions_for(row["topic"]))
            tp = TopicPartition(row["topic"], choose_partition(key, partitions, partitions))
            if tp not in full:
                batch = wave.get(tp) or _Batch(producer.create_batch())
                if batch.builder.append(
                    timestamp=None, key=key, value=row["body"], headers=headers
                ):
                    wave[tp] = batch
                    batch.indexes.append(index)
                    continue
                full.add(tp)
            rest.append(index)
        except Exception as error:
            # The caller knows which failures pass and which do not.
            return wave, [], NotSent([index], error)
    return wave, rest, None


async def _send(
    producer: AIOKafkaProducer, tp: TopicPartition, batch: _Batch
) -> list[Ack] | NotSent:
    try:
        answer = await (await producer.send_batch(batch.builder, tp.topic, partition=tp.partition))
    except Exception as error:
        return NotSent(batch.indexes, error)
    if answer.offset < 0:
        # Written before, but the broker no longer knows where: send it again and learn where.
        return NotSent(batch.indexes, ConnectionError("no offset"))
    return [
        Ack(index, tp.partition, answer.offset + nth) for nth, index in enumerate(batch.indexes)
    ]


def columns(rows: Sequence[Row], acks: Sequence[Ack]) -> tuple[list[int], list[int], list[int]]:
    """Ids, partitions and offsets of acknowledged rows: $1, $2 and $3 of `outbox.MARK`."""
    return (
        [rows[a.index]["id"] for a in acks],
        [a.partition for a in acks],
        [a.offset for a in acks],
    )
