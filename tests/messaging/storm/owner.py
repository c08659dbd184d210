"""One process that works on a service's database, and how it is held up or killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from shared.messaging.processing import Processor
from shared.messaging.transaction import Transaction
from shared.service import Service


class Killed(BaseException):
    """The process ends here. No handler of errors may see it."""


@dataclass
class Gate:
    """Holds a process just before a commit, with all its locks, until somebody opens."""

    passes: int
    """Commits that pass first."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    alone: asyncio.Event = field(default_factory=asyncio.Event)

    async def before_begin(self) -> None:
        """Called before every transaction of the process: after the gate, the other one first."""
        if self.opened.is_set():
            await self.alone.wait()

    async def before_commit(self) -> None:
        """Called before every commit of the process."""
        self.passes -= 1
        if self.passes < 0:
            self.reached.set()
            await self.opened.wait()


@dataclass
class Owner:
    """One process that works on a service's database, and how it is to end."""

    service: Service
    killed_before_commit: bool = False
    gate: Gate | None = None

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, without any memory."""
        service = self.service
        self.processor = Processor(service.name, service.group, service.subscription, self.open)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Transaction]:
        """A transaction of this process."""
        if self.gate is not None:
            await self.gate.before_begin()
        async with self.service.transaction() as tx:
            yield tx
            # What it would commit is written, so that the rows of others are locked too.
            await tx.flush()
            if self.killed_before_commit:
                raise Killed
            if self.gate is not None:
                await self.gate.before_commit()
