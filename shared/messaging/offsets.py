"""Where the members of a group stand in the log: asking, and setting it while nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, KafkaError

from shared.messaging.brokers import client_options
from shared.messaging.partitions import PARTITIONS

SET_WITHIN = 60.0
"""Seconds until the members of a service that has just ended are forgotten by the broker."""


async def committed_by(kafka: str, groups: Iterable[str]) -> dict[str, dict[TopicPartition, int]]:
    """Group → the next offsets it would read; nothing for a group that never read."""
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=10_000)
    await admin.start()
    try:
        found = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    finally:
        await admin.close()
    return {
        group: {tp: at.offset for tp, at in offsets.items() if at.offset >= 0}
        for group, offsets in found.items()
    }


async def ends_of(kafka: str, topics: Iterable[str]) -> dict[TopicPartition, int]:
    """The next offset that will be written to each partition of these topics."""
    consumer = AIOKafkaConsumer(**client_options(kafka), request_timeout_ms=10_000)
    await consumer.start()
    try:
        partitions = [TopicPartition(t, n) for t in topics for n in range(PARTITIONS)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def set_offsets(kafka: str, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Let a group go on from there. `TimeoutError` while somebody reads in it.

    Members with a name stay for some seconds after they ended: that long it tries again.
    """
    if not offsets:
        return
    async with asyncio.timeout(SET_WITHIN):
        while True:
            consumer = AIOKafkaConsumer(
                **client_options(kafka),
                group_id=group,
                enable_auto_commit=False,
                request_timeout_ms=10_000,
            )
            try:
                await consumer.start()
                consumer.assign(list(offsets))
                await consumer.commit(dict(offsets))
            except (CommitFailedError, KafkaError):
                await asyncio.sleep(0.5)
            else:
                return
            finally:
                await consumer.stop()
