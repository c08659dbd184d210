"""The services nobody writes to, in a process of their own while the months are played.

Two months are as much work as one core does in three minutes; the second one would be half idle.
So those services that only follow the log are run by another process until the play is over. It
is told when to publish, and what time it is, and asked how far it has read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from aiokafka import TopicPartition

from services.demo.clock import DemoClock
from services.demo.days import FIRST
from shared.moments import LOCAL
from shared.observability import logs
from shared.process import Process
from shared.service import Service

FOLLOWERS = frozenset({"routing", "sla", "notification", "tracking"})

Make = Callable[[DemoClock], Process]
Positions = dict[str, dict[TopicPartition, int]]
"""By service: the next offset to process of each partition it reads."""


class FollowersEnded(RuntimeError):
    """Their process is gone; without it the play cannot go on."""


class Followers:
    """Their process, as the play sees it.

    It loads what it needs at once, and begins when it is told to. `make` is called there, with the
    clock that it is told the time by.
    """

    def __init__(self, make: Make) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_follow, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()

    async def start(self) -> None:
        """Let them begin; everything they need has to be there."""
        await self._ask("start")

    async def release(self, now: datetime) -> None:
        """It is `now`; publish what waits."""
        await self._ask("release", now)

    async def hold(self) -> None:
        """Publish nothing more until the next `release`."""
        await self._ask("hold")

    async def positions(self) -> Positions:
        """How far they have read."""
        found: Positions = await self._ask("positions")
        return found

    async def stop(self) -> None:
        """End them cleanly."""
        await self._ask("stop")
        await asyncio.to_thread(self._process.join)

    def end(self) -> None:
        """End them, however far they are: what is not played to its end is begun anew."""
        self._process.kill()

    async def _ask(self, *what: Any) -> Any:
        def ask() -> Any:
            self._line.send(what)
            return self._line.recv()

        try:
            return await asyncio.to_thread(ask)
        except (EOFError, OSError) as error:
            raise FollowersEnded("the process of the followers has ended") from error


def positions_of(services: Iterable[Service]) -> Positions:
    """How far each of these services has read."""
    return {s.name: s.consumer.positions() for s in services if s.consumer is not None}


def _follow(line: Connection, make: Make) -> None:
    """Their process."""
    # Before it can end in its own order, an interrupt is for the play, which then hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.configure(logging.WARNING)
    clock = DemoClock(datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=LOCAL))
    process = make(clock)
    with contextlib.suppress(EOFError):
        line.recv()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(process.run(beside=lambda _: _obey(line, process, clock)))


async def _obey(line: Connection, process: Process, clock: DemoClock) -> None:
    """Do what the play says, until it says that it is over."""
    services = process.services.values()
    relays = [service.relay for service in services if service.relay is not None]

    def release(now: datetime) -> None:
        clock.set(now)
        for relay in relays:
            relay.release()

    def hold() -> None:
        for relay in relays:
            relay.hold()
        process.services["notification"].deps.wake.set()

    doing: dict[str, Callable[..., Any]] = {
        "release": release,
        "hold": hold,
        "positions": lambda: positions_of(services),
        "stop": process.stop,
    }
    line.send(None)
    what = ""
    while what != "stop":
        try:
            what, *more = await asyncio.to_thread(line.recv)
        except EOFError:
            os._exit(1)  # the play was killed, and the servers with it
        line.send(doing[what](*more))
