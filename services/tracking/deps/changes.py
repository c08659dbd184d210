"""Who waits for changes of what: pages that are open, in this process.

Woken after a commit by the handlers here, and once a second for what other replicas projected.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class ChangeNotifier:
    """Wakes everybody who subscribed to a key (a case, or the hash of a code)."""

    def __init__(self) -> None:
        self._subscribers: dict[str, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(len(events) for events in self._subscribers.values())

    @property
    def keys(self) -> list[str]:
        """What somebody waits for."""
        return list(self._subscribers)

    def notify(self, key: str) -> None:
        """Wake everybody who subscribed to `key`, which has changed."""
        for changed in self._subscribers.get(key, ()):
            changed.set()

    @contextlib.contextmanager
    def subscribe(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever `key` changes; the subscriber clears it."""
        changed = asyncio.Event()
        self._subscribers.setdefault(key, set()).add(changed)
        try:
            yield changed
        finally:
            subscribers = self._subscribers[key]
            subscribers.discard(changed)
            if not subscribers:
                del self._subscribers[key]


async def wait(changed: asyncio.Event, closing: asyncio.Event, seconds: float) -> None:
    """Return at a change, when the process ends, or after so many `seconds`."""
    waiting = [asyncio.create_task(changed.wait()), asyncio.create_task(closing.wait())]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
