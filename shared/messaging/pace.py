"""How soon a consumer polls again: small polls are spared, what somebody waits for is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Set

from shared.tasks import woken

POLL_INTERVAL = 0.01
"""Seconds between two small polls, at least; after a quiet moment it delays nothing."""
PASSED_OVER = 0.02
"""Seconds until the next poll when nothing of a small one was wanted: what a case goes through
comes within a moment, and each answer of the broker is a request here and there."""
EXPECTED = 0.04
"""Seconds for which there is no rest after this process has committed something urgent, unless it
comes before."""


class Pace:
    """The rests of one consumer; `urgent` are the types that somebody waits for."""

    def __init__(self, urgent: Set[str]) -> None:
        self._urgent = urgent
        self._next_poll_at = 0.0
        self._expecting_until = 0.0
        self._expecting = asyncio.Event()

    async def rest(self) -> None:
        """Wait until the next poll is due; something urgent of this process ends it."""
        self._expecting.clear()
        now = time.monotonic()
        if now >= self._expecting_until and (pause := self._next_poll_at - now) > 0:
            await woken(self._expecting, within=pause)

    def expect(self, types: Set[str]) -> None:
        """What was committed in this process is about to be in the log."""
        if not types.isdisjoint(self._urgent):
            self._expecting_until = time.monotonic() + EXPECTED
            self._expecting.set()

    def polled(self, types: Iterable[str], *, small: bool) -> None:
        """A poll brought events of these `types`: those that are wanted."""
        wanted = set(types)
        if small:
            self._next_poll_at = time.monotonic() + (POLL_INTERVAL if wanted else PASSED_OVER)
        if not wanted.isdisjoint(self._urgent):
            self._expecting_until = 0.0
