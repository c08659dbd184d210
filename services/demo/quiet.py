"""When the system has taken in everything that was done: the clock waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.brokers import Brokers, client_options
from shared.service import Service

_WAITING = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"
_AGAIN = 0.02
"""Seconds."""


class Quiet:
    """Nothing waits in an outbox, and every service has processed the log to its end."""

    def __init__(self, kafka: str | Brokers, services: Mapping[str, Service]) -> None:
        self._services = services
        self._onlooker = AIOKafkaConsumer(**client_options(kafka))

    async def start(self) -> None:
        """Connect to the broker."""
        await self._onlooker.start()

    async def stop(self) -> None:
        """Let go of it."""
        await self._onlooker.stop()

    async def wait(self) -> None:
        """Until it is so."""
        while not await self._is_quiet():
            await asyncio.sleep(_AGAIN)

    async def _is_quiet(self) -> bool:
        consumers = [s.consumer for s in self._services.values() if s.consumer is not None]
        if any(consumer.measure_lag() for consumer in consumers):
            return False
        ends = await self._ends()
        if any(self._is_behind(service, ends) for service in self._services.values()):
            return False
        # What was processed may have emitted something, which may be out already.
        return not await self._something_waits() and await self._ends() == ends

    async def _something_waits(self) -> bool:
        async def waits(service: Service) -> bool:
            async with service.engine.connect() as connection:
                return bool((await connection.exec_driver_sql(_WAITING)).scalar_one())

        return any(await asyncio.gather(*map(waits, self._services.values())))

    async def _ends(self) -> dict[TopicPartition, int]:
        consumers = [s.consumer for s in self._services.values() if s.consumer is not None]
        read = {tp for consumer in consumers for tp in consumer.positions()}
        found: dict[TopicPartition, int] = await self._onlooker.end_offsets(list(read))
        return found

    @staticmethod
    def _is_behind(service: Service, ends: dict[TopicPartition, int]) -> bool:
        if service.consumer is None:
            return False
        return any(ends.get(tp, 0) > done for tp, done in service.consumer.positions().items())
