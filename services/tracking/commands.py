"""``rebuild``: the views are begun anew and projected from the log, with progress."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.tracking.app import build
from services.tracking.store import generation
from shared.cli import service_commands, with_service
from shared.contracts import EVENTS
from shared.messaging.brokers import client_options
from shared.messaging.outbox import is_relayed
from shared.messaging.partitions import PARTITIONS
from shared.process import say
from shared.service import Service

cli = service_commands("tracking", build)
STUCK_AFTER = 30
"""Seconds without progress after which the person at the keyboard is warned."""


@cli.command()
def rebuild() -> None:
    """Drop the read models and project them anew from the log. Nobody is notified again."""
    with_service(build, rebuild_views)


async def rebuild_views(service: Service) -> None:
    """Empty the views and wait until the log is read to where it ends now.

    A service that runs notices and reads the log again by itself; where none runs, this command
    does the reading.
    """
    await service.connect()
    await service.check_database()
    running = await is_relayed(service.engine)
    async with service.engine.begin() as connection:
        number = await generation.begin_anew(connection)
    say(f"tracking: the views are empty, generation {number} begins")
    if not running:
        await service.start()
    try:
        await wait_for_end(service.runtime.kafka, generation.group_of(number))
    finally:
        if not running:
            await service.stop()
    say("tracking: the views are complete")


async def wait_for_end(kafka: str, group: str) -> None:
    """Wait, with progress, until `group` has read the log to where it ends now."""
    ends = await _ends(kafka)
    total = sum(ends.values())
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=10_000)
    await admin.start()
    last, still = -1, 0.0
    try:
        while True:
            done = await _done(admin, group, ends)
            if done != last:
                say(
                    f"  {done} of {total} events" + (f" ({100 * done // total} %)" if total else "")
                )
                last, still = done, 0.0
            if done >= total:
                return
            await asyncio.sleep(0.5)
            still += 0.5
            if still == STUCK_AFTER:
                say("  no progress; python -m services status says why")
    finally:
        await admin.close()


async def _ends(kafka: str) -> dict[TopicPartition, int]:
    """Where the log ends now."""
    consumer = AIOKafkaConsumer(**client_options(kafka), request_timeout_ms=10_000)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(EVENTS, n) for n in range(PARTITIONS)])
        return {tp: end for tp, end in ends.items() if end}
    finally:
        await consumer.stop()


async def _done(admin: AIOKafkaAdminClient, group: str, ends: dict[TopicPartition, int]) -> int:
    committed = await admin.list_consumer_group_offsets(group)
    done = 0
    for tp, end in ends.items():
        at = committed.get(tp)
        done += max(0, min(end, at.offset)) if at is not None else 0
    return done
