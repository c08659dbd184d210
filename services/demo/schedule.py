"""Who does what next: everybody waits for their moment, and moments come in order.

The clock stands while the system works. From one *look* to the next everything that is due in
between is done, each at its moment; then the system is given the time to take it all in, and only
then the next stretch begins. So nothing is ever late because this machine is slow.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from services.demo.clock import DemoClock

AT_ONCE = 8
"""People who are busy at the same time."""
_Waiting = list[tuple[datetime, int, int, asyncio.Future[None]]]
"""When, in which order, asked for at which look, and whom to wake."""


class Schedule:
    """Coroutines that wait for a moment of the demonstration's clock."""

    def __init__(self, clock: DemoClock, rng: random.Random) -> None:
        self.clock = clock
        self._rng = rng
        self._staff: _Waiting = []
        self._public: _Waiting = []
        self._urgent: list[datetime] = []
        self._numbers = itertools.count()
        self._looks = 0
        self._busy = 0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def until(self, at: datetime, *, heard: bool = False) -> None:
        """Wait for `at`; with `heard` also until what was done so far is known everywhere."""
        await self._wait(self._staff, at, self._looks if heard else -1)

    async def outside(self, at: datetime, *, urgent: bool = False) -> None:
        """Wait as somebody who writes in: at the look after `at`, shortly before all is taken in.

        `urgent`: there is a look at that very moment.
        """
        if urgent:
            heapq.heappush(self._urgent, at)
        await self._wait(self._public, at, self._looks)

    def begin(self, life: Coroutine[Any, Any, None]) -> None:
        """Let somebody live; they begin now, and wait for their moments themselves."""
        self._busy += 1
        task = asyncio.create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def next_urgent(self, before: datetime) -> datetime | None:
        """The next moment before `before` at which there must be a look."""
        while self._urgent and self._urgent[0] <= self.clock.now():
            heapq.heappop(self._urgent)
        return self._urgent[0] if self._urgent and self._urgent[0] < before else None

    async def pass_until(self, at: datetime) -> None:
        """Do everything that is due by `at`, and be there."""
        self._looks += 1
        while await self._fewer_than(AT_ONCE):
            if self._wake(self._staff, at):
                continue
            if not self._busy:
                break
            # Whoever is busy may have something else to do before `at`.
            await self._change()
        self.clock.set(at)
        while self._wake(self._public, at):
            self.clock.step(self._rng.uniform(3, 15))
            await self._fewer_than(AT_ONCE)
        await self._fewer_than(1)

    async def stop(self) -> None:
        """Everybody goes home; what they have begun stays as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, among: _Waiting, at: datetime, asked: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(among, (at, next(self._numbers), asked, turn))
        self._leave()
        await turn

    def _wake(self, among: _Waiting, at: datetime) -> bool:
        """Let the next one of them act whose moment has come by `at`."""
        passed_over = []
        found = None
        while among and among[0][0] <= at and found is None:
            first = heapq.heappop(among)
            if first[2] < self._looks:
                found = first
            else:
                passed_over.append(first)
        for one in passed_over:
            heapq.heappush(among, one)
        if found is None:
            return False
        self.clock.set(found[0])
        self._busy += 1
        found[3].set_result(None)
        return True

    async def _fewer_than(self, most: int) -> bool:
        while self._busy >= most:
            await self._change()
        if self._failure is not None:
            raise self._failure
        return True

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _leave(self) -> None:
        self._busy -= 1
        self._changed.set()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()
            self._leave()
