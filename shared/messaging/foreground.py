"""Who goes first in a process: what somebody waits for, before what is only written down.

All services of a process share one event loop. Who accepts a comment, and who brings it to its
department, says so while at work; consumers nobody waits for begin when nobody is, and stop between
two events. They do so for a time only: in a surge the tracking page has to move on too. While a
crowd is at the door every consumer pauses as long as it worked, and those nobody waits for take
turns; what is put off is done in larger batches, which is cheaper than to do it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Set

LONGEST = 0.25
"""Seconds for which a batch waits to begin at most, and as long again until it ends."""
CROWD = 4
"""So many that are accepted by one commit came while the one before was under way."""
CROWDED = 0.2
"""Seconds for which a crowd counts as being at the door after such a commit."""
TURN = 1.0
"""Seconds for which a batch waits for its turn at most, and for which it pauses at most."""


class Foreground:
    """Counts what is under way that somebody waits for: ``with foreground: …``."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Set[str]], None]] = []
        """Told the types of what this process has just committed, and what is about to be in the
        log: whoever rests between two polls and waits for one of them reads at once."""
        self._crowded_until = 0.0
        self._turn = asyncio.Lock()
        self._at_work = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> None:
        self._at_work += 1
        self._idle.clear()

    def __exit__(self, *_: object) -> None:
        self._at_work -= 1
        if not self._at_work:
            self._idle.set()

    def announce(self, types: Set[str]) -> None:
        """Events of these `types` were committed."""
        for listen in self.listeners:
            listen(types)

    def accepted(self, number: int) -> None:
        """So many are accepted at once."""
        if number >= CROWD:
            self._crowded_until = asyncio.get_running_loop().time() + CROWDED

    @contextlib.asynccontextmanager
    async def turn(self, *, patient: bool) -> AsyncIterator[None]:
        """A batch of a consumer. While there is a crowd it is followed by a pause as long as it
        took; those of consumers nobody waits for (`patient`) come one after another besides.
        Whoever waited for its turn for `TURN` seconds begins nevertheless."""
        loop = asyncio.get_running_loop()
        mine = False
        if patient and loop.time() < self._crowded_until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN):
                    mine = await self._turn.acquire()
        begun = loop.time()
        try:
            yield
            if loop.time() < self._crowded_until:
                await asyncio.sleep(min(loop.time() - begun, TURN if patient else LONGEST))
        finally:
            if mine:
                self._turn.release()

    @staticmethod
    def patience() -> float:
        """Until when, by the clock of the loop, one that begins now gives way."""
        return asyncio.get_running_loop().time() + LONGEST

    async def give_way(self, until: float) -> None:
        """Let others have their turn; while somebody is at work, wait, at most until `until`."""
        await asyncio.sleep(0)
        if self._at_work and until > asyncio.get_running_loop().time():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._idle.wait()
