"""Two real replicas of sla share the log; one of them hangs while deadlines pass."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from services.sla.app import build
from shared.contracts.desk import CaseDispatched
from shared.contracts.intake import FeedbackReceived
from shared.contracts.vocabulary import CaseType, Channel, Priority
from shared.ids import new_id
from shared.messaging.caught_up import HANG
from shared.messaging.partitions import PARTITIONS, partition_of
from shared.service import Runtime, Service
from tests.messaging import toy
from tests.messaging.conftest import rows, running, until
from tests.messaging.test_log import tell
from tests.support import at, clock_at, prepared

BREACHED = """
SELECT key, count(*) FROM outbox WHERE headers->>'ce_type' = 'sla.breached.v1'
AND convert_from(body, 'UTF8')::jsonb->>'clock' = 'TRIAGE' GROUP BY key
"""
OPEN = "SELECT feedback_id FROM clocks WHERE clock = 'TRIAGE' AND met_at IS NULL"


class Replica:
    """A service on an event loop of its own, as in a process of its own: it can stand still."""

    service: Service

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run on that loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def start(self, make: Callable[[], Service]) -> None:
        async def start() -> None:
            self.service = make()
            await self.service.start()

        await self.do(start())

    async def partitions(self) -> frozenset[int]:
        """Those that it reads, all of them to the end."""

        async def ask() -> frozenset[int]:
            consumer = self.service.consumer
            assert consumer is not None
            own = consumer.partitions()
            return own if own == consumer.caught_up() else frozenset()

        return frozenset(await self.do(ask()))

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[None]:
        """For longer than a hang."""
        go_on, began = threading.Event(), time.monotonic()
        self._loop.call_soon_threadsafe(go_on.wait)
        try:
            yield
            await until(lambda: time.monotonic() - began > 2 * HANG)
        finally:
            go_on.set()

    async def end(self) -> None:
        await self.do(self.service.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


def received(feedback_id: str) -> FeedbackReceived:
    return FeedbackReceived(
        feedback_id=feedback_id,
        at=at("2026-03-04 10:00"),
        channel=Channel.WEB,
        text="占座没人管",
        code_hash="x",
    )


def dispatched(feedback_id: str) -> CaseDispatched:
    return CaseDispatched(
        feedback_id=feedback_id,
        at=at("2026-03-04 11:00"),
        department="space",
        case_type=CaseType.COMPLAINT,
        priority=Priority.P3,
        decided="rule",
    )


async def test_a_replica_that_hangs_while_a_deadline_passes_raises_no_false_breach(
    toy_runtime: Runtime,
) -> None:
    clock = clock_at("2026-03-04 10:00")
    runtime = replace(toy_runtime, clock=clock)
    sla = await prepared(build, runtime)
    for seed in sla.seeds:
        await seed(False)
    sources = [toy.build_source(runtime, name) for name in ("intake", "desk")]
    for source in sources:
        await source.migrate()
    one, two = Replica(), Replica()
    group = new_id()

    def make(replica: str) -> Service:
        service = build(replace(runtime, replica=replica))
        service.group = group
        return service

    async with running(sources[0]) as intake, running(sources[1]) as desk:
        try:
            await asyncio.gather(one.start(lambda: make("one")), two.start(lambda: make("two")))

            async def shared() -> bool:
                own, others = await one.partitions(), await two.partitions()
                return bool(own) and bool(others) and len(own | others) == PARTITIONS

            await until(shared)
            own = await one.partitions()
            # Of each replica some that are answered in time, and one that nobody looks after.
            cases = _in(own, 4) + _in(frozenset(range(PARTITIONS)) - own, 4)
            late = {cases[0], cases[-1]}
            await tell(intake, *map(received, cases))

            async def open_cases() -> set[str]:
                return {i for (i,) in await rows(sla, OPEN)} & set(cases)

            await until(lambda: _is(open_cases(), set(cases)))
            async with one.standing_still():
                await tell(desk, *(dispatched(case) for case in cases if case not in late))
                unread = {case for case in cases if partition_of(case) in own}
                await until(lambda: _is(open_cases(), unread | late))
                clock.set(at("2026-03-04 15:30"))
                await until(lambda: _breached(sla, cases[-1]))
            await until(lambda: _breached(sla, cases[0]))
            await until(lambda: _is(open_cases(), late))
            found = {key: n for key, n in await rows(sla, BREACHED) if key in cases}
            assert found == dict.fromkeys(late, 1)
        finally:
            await asyncio.gather(one.end(), two.end())
            await sla.engine.dispose()


def _in(partitions: frozenset[int], number: int) -> list[str]:
    """So many new cases in these partitions."""
    found: list[str] = []
    while len(found) < number:
        if partition_of(case := new_id()) in partitions:
            found.append(case)
    return found


async def _is(asked: Coroutine[Any, Any, set[str]], wanted: set[str]) -> bool:
    return await asked == wanted


async def _breached(sla: Service, case: str) -> bool:
    return case in {key for key, _ in await rows(sla, BREACHED)}
