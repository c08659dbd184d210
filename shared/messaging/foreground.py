"""Who goes first in a process: what somebody waits for, before what is only written down.

All services of a process share one event loop. Who accepts a comment, and who brings it to its
department, says so while at work; consumers nobody waits for begin when nobody is, and stop between
two events. They do so for a time only: in a surge the tracking page has to move on too. While a
crowd is at the door the consumers take turns, and whoever had one pauses three times as long
before the next: a quarter of the loop is theirs, however many they are. What is put off is done in
larger batches, which is cheaper than to do it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Set

LONGEST = 0.25
"""Seconds for which a batch waits to begin at most, and as long again until it ends."""
WINDOW = 0.5
"""Seconds in which those who were accepted are counted."""
MANY = 80
"""So many of them are a crowd, however quickly they were accepted."""
SOME, TOGETHER = 20, 4
"""So many are one too where each commit had that many on average: they waited for each other."""
CROWDED = 0.2
"""Seconds for which a crowd counts as being at the door after it was seen."""
REST = 3
"""So many times as long as a batch took nobody else has a turn while there is a crowd."""
TURN = 5.0
"""Seconds for which a batch waits for its turn at most, and for which it pauses at most."""


class Foreground:
    """Counts what is under way that somebody waits for: ``with foreground: …``."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Set[str]], None]] = []
        """Told the types of what this process has just committed, and what is about to be in the
        log: whoever rests between two polls and waits for one of them reads at once."""
        self._lately: deque[tuple[float, int]] = deque()
        self._crowded_until = 0.0
        self._turn, self._patient = asyncio.Lock(), asyncio.Lock()
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
        """So many are accepted by one commit."""
        now = asyncio.get_running_loop().time()
        self._lately.append((now, number))
        while self._lately[0][0] < now - WINDOW:
            self._lately.popleft()
        lately = sum(accepted for _, accepted in self._lately)
        if lately >= MANY or lately >= max(SOME, TOGETHER * len(self._lately)):
            self._crowded_until = now + CROWDED

    @contextlib.asynccontextmanager
    async def turn(self, *, patient: bool) -> AsyncIterator[None]:
        """A batch of a consumer. While there is a crowd one comes after another, each followed by
        a pause; of those nobody waits for (`patient`) at most one is before somebody who is
        urgent. Whoever waited for `TURN` seconds begins nevertheless."""
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as mine:
            if loop.time() < self._crowded_until:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TURN):
                        if patient:
                            await mine.enter_async_context(self._patient)
                        await mine.enter_async_context(self._turn)
            begun = loop.time()
            yield
            if loop.time() < self._crowded_until:
                await asyncio.sleep(min(REST * (loop.time() - begun), TURN))

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
