"""Background tasks: ended for certain, and started again when they end by themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from shared.messaging.failures import Backoff, is_transient

log = structlog.get_logger()


class Supervised:
    """A task that should never end: whatever ends it, it is started again after a growing pause.

    `error` says what ended it, until it runs again: readiness shows it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self.error: str | None = None
        self._work, self._backoff = work, backoff or Backoff()
        self._task: asyncio.Task[None] | None = None
        self._restart: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._restart, self.error = None, None
        self._task = asyncio.create_task(self._work(), name=self.name)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End it for good."""
        task, self._task = self._task, None
        if self._restart is not None:
            self._restart.cancel()
        await end([task])

    def progressed(self) -> None:
        """It works: the next pause is a short one."""
        self._backoff.reset()

    def _ended(self, task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        if task is not self._task:
            return
        how = type(failure).__name__ if failure else "cancelled" if task.cancelled() else "returned"
        self.error = f"{self.name}: {how}"
        log.error(
            "task ended; it is started again",
            task=self.name,
            error=how,
            exc_info=failure if failure and not is_transient(failure) else None,
        )
        self._restart = task.get_loop().call_later(self._backoff.next(), self.start)


async def end(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Cancel `tasks` and wait until they are over.

    Cancelled again each second: ``asyncio.wait_for`` of Python 3.11 forgets a cancellation that
    arrives together with its result.
    """
    pending = {t for t in tasks if t is not None and not t.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


async def woken(event: asyncio.Event, within: float) -> bool:
    """Whether `event` came within so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            return await event.wait()
    return False
