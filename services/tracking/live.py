"""Who waits for news of what: pages that are open, in this process.

Woken after a commit by the handlers here, and once a second for what other replicas projected.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

LISTENERS = 1_000
"""Open streams per process; more are asked to come back later."""
WAITERS = 200
"""Requests that may wait for a code that was given out a moment ago."""


class Bell:
    """Rings for everybody who listens to a key (a case, or the hash of a code)."""

    def __init__(self) -> None:
        self._ears: dict[str, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(len(ears) for ears in self._ears.values())

    @property
    def keys(self) -> list[str]:
        """What somebody listens to."""
        return list(self._ears)

    def ring(self, key: str) -> None:
        """Wake everybody who listens to `key`."""
        for ear in self._ears.get(key, ()):
            ear.set()

    @contextlib.contextmanager
    def listen(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever there is news of `key`; the listener clears it."""
        ear = asyncio.Event()
        self._ears.setdefault(key, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[key]
            ears.discard(ear)
            if not ears:
                del self._ears[key]


async def heard(ear: asyncio.Event, closing: asyncio.Event, seconds: float) -> None:
    """Return at news, when the process ends, or after so many `seconds`."""
    waiting = [asyncio.create_task(ear.wait()), asyncio.create_task(closing.wait())]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
