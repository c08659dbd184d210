"""What this service emitted after its database was last backed up, read from the log.

Normally nothing: the outbox holds it all. After a backup was restored the log knows of messages
that are out, and the ledger must know it before anything is sent again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.notification import ledger, store
from services.notification.deps import Deps
from services.notification.store import DeliveryRow
from shared.contracts import EVENTS
from shared.contracts.notification import DeliveryEvent
from shared.messaging.brokers import client_options
from shared.messaging.envelope import InvalidMessage, Record, type_and_source_of
from shared.messaging.partitions import PARTITIONS
from shared.messaging.subscription import believed
from shared.service import Service

log = structlog.get_logger()


async def recall(service: Service[Deps]) -> int:
    """Make the ledger know what the log knows; gives how many deliveries it had lost."""
    async with service.transaction() as tx:
        emitted = await store.emitted_up_to(tx)
    found = 0
    async for records in _own_since(service.runtime.kafka, service.name, emitted):
        found += await remember(service, records)
    if found:
        log.warning("the log knew of deliveries the ledger had lost", deliveries=found)
    return found


async def remember(service: Service[Deps], records: Iterable[Record]) -> int:
    """Enter the outcomes in these records of our own; gives how many were news."""
    news = 0
    for record in records:
        try:
            event = record.event()
        except InvalidMessage:
            continue
        if not isinstance(event, DeliveryEvent):
            continue
        async with service.transaction() as tx:
            await tx.lock(event.feedback_id)
            await store.load(tx, [event.feedback_id])
            row = tx.rows(DeliveryRow).get(event.delivery_id)
            news += ledger.remember(tx, row, event, record.headers)
    return news


async def _own_since(kafka: str, name: str, emitted: dict[int, int]) -> AsyncIterator[list[Record]]:
    """The records that `name` wrote behind these offsets, up to where the log ends now."""
    consumer = AIOKafkaConsumer(
        **client_options(kafka), enable_auto_commit=False, request_timeout_ms=10_000
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(EVENTS, n) for n in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for tp in partitions:
            consumer.seek(tp, min(emitted.get(tp.partition, -1) + 1, ends[tp]))
        while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            for batch in (await consumer.getmany(*behind, timeout_ms=500)).values():
                own = (raw for raw in batch if type_and_source_of(raw)[1] == name)
                yield [r for raw in own if (r := believed(name, raw)) is not None]
    finally:
        await consumer.stop()
