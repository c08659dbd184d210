"""Looks at the broker from outside the consumers: they cannot tell a silent broker from quiet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError

from shared.messaging.topics import cluster_id
from shared.tasks import end

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
        self._known: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def silent_for(self) -> float:
        """Seconds since the broker last answered."""
        return float("inf") if self.answered_at is None else time.monotonic() - self.answered_at

    async def start(self) -> None:
        """Look in the background."""
        self._task = asyncio.create_task(self._run(), name="broker-watch")

    async def stop(self) -> None:
        """Stop looking."""
        await end([self._task])

    async def _run(self) -> None:
        while True:
            try:
                cluster = await asyncio.wait_for(cluster_id(self._kafka), EVERY)
            except (KafkaError, OSError, TimeoutError) as error:
                self.error = type(error).__name__
            else:
                self.answered_at, self.error = time.monotonic(), None
                if self._known not in (None, cluster):
                    self._on_change("the broker is another one than before; run restore-log")
                self._known = cluster
            await asyncio.sleep(EVERY)
