"""Looks at the broker from outside the consumers: they cannot tell a silent broker from quiet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError

from shared.messaging.connecting import BrokerRefused
from shared.messaging.topics import cluster_id
from shared.tasks import Supervised

log = structlog.get_logger()

EVERY = 5.0


class BrokerWatch:
    """Asks the broker who it is, again and again.

    `answered_at` is monotonic; `on_change` is called when another log answers.
    """

    def __init__(self, kafka: str, on_change: Callable[[str], None]) -> None:
        self._kafka, self._on_change = kafka, on_change
        self.answered_at: float | None = None
        self.error: str | None = None
        self.refusal: str | None = None
        """Why a broker that answers does not let us in."""
        self._known: str | None = None
        self._task = Supervised("broker watch", self._run)

    @property
    def silent_for(self) -> float:
        """Seconds since the broker last answered."""
        return float("inf") if self.answered_at is None else time.monotonic() - self.answered_at

    async def start(self) -> None:
        """Look in the background."""
        self._task.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._task.stop()

    async def _run(self) -> None:
        while True:
            try:
                cluster = await asyncio.wait_for(cluster_id(self._kafka), EVERY)
            except BrokerRefused as error:
                self.error = type(error).__name__
                if self.refusal is None:
                    log.error("the broker refuses us", reason=str(error))
                self.refusal = str(error)
            except (KafkaError, OSError, TimeoutError) as error:
                self.error, self.refusal = type(error).__name__, None
            else:
                self.answered_at, self.error, self.refusal = time.monotonic(), None, None
                if self._known not in (None, cluster):
                    self._on_change("Kafka: another broker answers than before")
                self._known = cluster
            await asyncio.sleep(EVERY)
