"""Door for the clock: marks what comes due, and follows the calendar people edit."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from services.sla import store
from services.sla.domain import cases
from services.sla.store import Rulebook, keep
from services.sla.store.rules import settle_recount, to_recount
from shared.observability.metrics import BREACHES, WARNINGS

if TYPE_CHECKING:
    from shared.service import Service

log = structlog.get_logger()

BATCH = 1_000
"""Due clocks in one transaction."""
WORKERS = 2
"""Transactions side by side while there is more than one batch to mark."""
LONGEST_SLEEP = 2.0
"""Seconds until the loop looks again unasked: another replica may have died with work."""
RETRY = 0.02
"""Seconds until a due case that somebody holds is tried again; doubles up to a second."""
SETTLE = 1.0
"""Seconds after joining the log before its end is surely known."""
SLACK = 500
"""Facts that may wait in the log while marks are made: one poll."""
FOLLOW_EVERY = 2.0
"""Seconds between looks at the stored rules."""
RECOUNT_BATCH = 200


async def mark_due(service: Service) -> int:
    """Mark and tell everything that is due by the house's clock; says how many marks."""
    total = await _mark_batch(service)
    if total < BATCH:
        return total
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(_mark_all(service)) for _ in range(WORKERS)]
    return total + sum(worker.result() for worker in workers)


async def _mark_all(service: Service) -> int:
    total = 0
    while marked := await _mark_batch(service):
        total += marked
    return total


async def _mark_batch(service: Service) -> int:
    async with service.transaction() as tx:
        now = tx.now
        claimed = await store.claim_due(tx.connection, now, BATCH)
        marked = await store.mark_claimed(tx.connection, claimed, now) if claimed else []
    for one in marked:
        if one.kind == "warned":
            WARNINGS.labels(one.department, one.clock).inc(one.count)
        elif one.kind == "breached":
            BREACHES.labels(one.department, one.clock).inc(one.count)
    if marked and service.relay is not None:
        service.relay.wake()
    return sum(one.count for one in marked)


class MarkLoop:
    """Sleeps until the next due moment, or until an earlier one comes up.

    While the log has not been read to its end nothing is marked: a reply that kept the promise
    may stand there unread, and a breach once told is never taken back.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._rules: Rulebook = service.tools
        self._joined_at: float | None = None
        self._retry = RETRY

    async def run(self) -> None:
        """Mark for ever."""
        while True:
            self._rules.woken.clear()
            self._rules.asleep_until = None
            if not self._has_read_the_log():
                await self._sleep(0.1)
                continue
            now = self._service.house.clock.now()
            async with self._service.engine.connect() as connection:
                earliest, upcoming = await store.look(connection, now)
            if earliest is None or earliest > now:
                self._retry = RETRY
            elif await mark_due(self._service):
                continue
            await self._sleep(self._until(upcoming, held=earliest is not None and earliest <= now))

    def _until(self, upcoming: datetime | None, *, held: bool) -> float:
        """Seconds to sleep; `held` when something is due that could not be had."""
        self._rules.asleep_until = upcoming
        wait = LONGEST_SLEEP
        if upcoming is not None:
            now = self._service.house.clock.now()
            wait = min(wait, max(0.0, (upcoming - now).total_seconds()))
        if held:
            wait, self._retry = min(wait, self._retry), min(2 * self._retry, 1.0)
        return wait

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rules.woken.wait(), seconds)

    def _has_read_the_log(self) -> bool:
        consumer = self._service.consumer
        if consumer is None:
            return True
        if not consumer.health.assigned:
            self._joined_at = None
            return False
        if self._joined_at is None:
            self._joined_at = time.monotonic()
        settled = time.monotonic() - self._joined_at >= SETTLE
        return settled and consumer.measure_lag() <= SLACK


async def follow_rules(service: Service) -> None:
    """Use what is stored, whoever edited it, and count open deadlines by a new calendar."""
    rules: Rulebook = service.tools
    while True:
        rules.edited.clear()
        async with service.engine.connect() as connection:
            await rules.refresh(connection)
            waiting = await to_recount(connection)
        if waiting is not None:
            await recount_open(service)
            # Once more when every replica has surely taken the new calendar into use.
            await asyncio.sleep(2 * FOLLOW_EVERY)
            await recount_open(service, settle=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rules.edited.wait(), FOLLOW_EVERY)


async def recount_open(service: Service, *, settle: bool = False) -> int:
    """Count open deadlines by the newest calendar and tell those that moved; says how many cases.

    Repeating it does no harm: what stands already is not told again.
    """
    rules: Rulebook = service.tools
    async with service.engine.connect() as connection:
        await rules.refresh(connection)
        waiting = await to_recount(connection)
    if waiting is None:
        return 0
    version, reason = waiting
    last, moved = "", 0
    while True:
        async with service.transaction() as tx:
            ids = await store.open_cases(tx, last, RECOUNT_BATCH)
            if not ids:
                if settle:
                    await settle_recount(tx.connection, version)
                break
            await tx.lock(*ids)
            await store.load(tx, ids)
            for feedback_id in ids:
                before = store.clocks_of(tx, feedback_id)
                if before is None or feedback_id in tx.parked:
                    continue
                pinned = rules.rules(before.policy_version)
                change = cases.recompute(before, pinned, at=tx.now, reason=reason)
                keep(tx, feedback_id, change, at=tx.now)
                moved += bool(change.facts)
        last = ids[-1]
    log.info("open deadlines counted anew", calendar=version, moved=moved)
    return moved
