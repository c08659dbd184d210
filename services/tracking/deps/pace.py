"""When a change is shown on the board: at once after a rest, in a hurry only every so often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.clock import Clock
from shared.contracts import EVENTS
from shared.messaging.partitions import PARTITIONS
from shared.service import Service

PACE = timedelta(milliseconds=300)
"""From one move to the next, at least: what comes meanwhile moves it when they are over."""
AT_MOST = timedelta(minutes=1)
"""So long is it believed that nothing changed: the release before counts no changes."""
Later = Callable[[float, Callable[[], None]], Any]
"""Calls what it is given after so many seconds."""


class Pace:
    """The board's changes, gathered: its `name` moves, and with it all who look are woken.

    Both at one moment: no open page is older than an answer that is asked for, and none is older
    than a change of this process by more than `every`. The last change of many always moves it.
    """

    def __init__(
        self,
        clock: Clock,
        wake: Callable[[], None],
        later: Later | None = None,
        every: timedelta = PACE,
    ) -> None:
        self._clock, self._wake, self._later, self._every = clock, wake, later, every
        self._moves = 0
        self._moved = self._looked = clock.now() - every
        self._coming = False
        self._known = 0
        """How many changes are known of."""

    @property
    def name(self) -> str:
        """Another one after every move."""
        return str(self._moves)

    def changed(self) -> None:
        """This process has committed something the board is made of, and counted it."""
        self._known += 1
        self._gather()

    def renamed(self) -> None:
        """What the board shows besides its sums is another: that counts as no change of theirs."""
        self._gather()

    @property
    def is_look_due(self) -> bool:
        """Whether it is longer than `every` since somebody looked what others changed."""
        return not timedelta(0) <= self._clock.now() - self._looked < self._every

    def looked(self, changes: int) -> None:
        """So many changes are counted by now: more than are known of, and others made some."""
        self._looked = self._clock.now()
        if changes != self._known or self._looked - self._moved > AT_MOST:
            self._known = changes
            self._gather()

    def _gather(self) -> None:
        rest = self._every - (self._clock.now() - self._moved)
        if rest <= timedelta(0):
            self._move()
        elif not self._coming:
            self._coming = True
            later = self._later or asyncio.get_running_loop().call_later
            # No longer, whatever a clock that was put back says.
            later(min(rest, self._every).total_seconds(), self._move_late)

    def _move_late(self) -> None:
        if self._coming:
            self._move()

    def _move(self) -> None:
        self._coming = False
        self._moved = self._clock.now()
        self._moves += 1
        self._wake()


def projects_all(service: Service[Any]) -> bool:
    """Whether this process is given the whole log: it then makes every change itself."""
    consumer = service.consumer
    given = () if consumer is None else consumer.positions()
    return len([tp for tp in given if tp.topic == EVENTS]) == PARTITIONS
