"""When the system has taken in everything that was done: the clock waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.demo.followers import Positions
from shared.messaging.brokers import Brokers, client_options
from shared.service import Service

_WAITING = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"
_AGAIN = 0.02
"""Seconds."""


class Quiet:
    """Nothing waits in an outbox, and every service has processed the log to its end."""

    def __init__(
        self,
        kafka: str | Brokers,
        services: Iterable[Service],
        positions: Callable[[], Awaitable[Positions]],
    ) -> None:
        self._services, self._positions = services, positions
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
        positions = await self._positions()
        ends = await self._ends(positions)
        for read in positions.values():
            if any(ends[tp] > done for tp, done in read.items()):
                return False
        # What was processed may have emitted something, which may be out already.
        return not await self._something_waits() and await self._ends(positions) == ends

    async def _something_waits(self) -> bool:
        async def waits(service: Service) -> bool:
            async with service.engine.connect() as connection:
                return bool((await connection.exec_driver_sql(_WAITING)).scalar_one())

        return any(await asyncio.gather(*map(waits, self._services)))

    async def _ends(self, positions: Positions) -> dict[TopicPartition, int]:
        read = {tp for one in positions.values() for tp in one}
        found: dict[TopicPartition, int] = await self._onlooker.end_offsets(list(read))
        return found
