"""Entry point for the clock: marks what comes due, and follows the calendar people edit."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from services.sla import store
from services.sla.deps import Deps
from services.sla.domain import cases
from services.sla.domain.events import ordinary_promises_set, quiet_hours_set, quiet_of
from services.sla.store import Look, ReadUntil, apply
from services.sla.store.rules import settle_recount, to_recount
from shared.messaging.partitions import PARTITIONS
from shared.messaging.subscription import YIELD_EVERY

if TYPE_CHECKING:
    from shared.service import Service

log = structlog.get_logger()

BATCH = 20
"""Due clocks of one partition in one transaction: small, so that none waits long for the others."""
WORKERS = 2
"""Transactions side by side while much is due: one waits for the database, one decides."""
LONGEST_SLEEP = 2.0
"""Seconds until the loop looks again unasked: another replica may have died with work."""
RETRY = 0.02
"""Seconds until what is due and cannot be had is tried again; doubles up to a second."""
FOLLOW_EVERY = 2.0
"""Seconds between looks at the stored rules."""
RECOUNT_BATCH = 200
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def mark_due(service: Service[Deps]) -> int:
    """Mark everything that is due by the system's clock, whoever reads the log; says how much."""
    everything = dict.fromkeys(range(PARTITIONS), service.runtime.clock.now())
    total = 0
    while marks := await mark_some(service, everything):
        total += marks
    return total


async def mark_some(service: Service[Deps], read_until: ReadUntil) -> int:
    """Mark one batch; when it was full, some more side by side. Says how many levels."""
    marks = await mark_batch(service, read_until)
    if marks >= BATCH:
        more = (mark_batch(service, read_until) for _ in range(WORKERS))
        marks += sum(await asyncio.gather(*more))
    return marks


async def mark_batch(service: Service[Deps], read_until: ReadUntil) -> int:
    """Mark and emit levels that were reached in these partitions; says how many.

    Nothing is marked that came due later than the log of its partition was `read_until`.
    """
    rules = service.deps
    marks = 0
    async with service.transaction() as tx:
        claimed = await store.claim_due(tx, read_until, BATCH)
        await tx.lock(*claimed)
        await store.load(tx, list(claimed))
        for n, (feedback_id, now) in enumerate(claimed.items(), 1):
            if not n % YIELD_EVERY:
                await asyncio.sleep(0)
            case = store.clocks_of(tx, feedback_id)
            if case is None or feedback_id in tx.parked:
                continue
            update = cases.tick(case, rules.rules(case.policy_version), now=now)
            apply(tx, feedback_id, update)
            marks += len(update.reached) + len(update.changes)
    return marks


class MarkLoop:
    """Sleeps until the next due moment, or until an earlier one comes up.

    A breach that was emitted is never taken back, so a clock is marked only when every event that
    was in its partition when it came due has been processed: the reply that kept the promise may
    be among them. Whether it has is known for the partitions this replica reads; other replicas
    mark the others. What counts is the moment *before* the consumer was asked: a process that
    stands still between the question and the mark believes in nothing that came meanwhile.
    """

    def __init__(self, service: Service[Deps]) -> None:
        self._service = service
        self._rules = service.deps
        self._read_until: dict[int, datetime] = {}
        self._retry = RETRY

    async def run(self) -> None:
        """Mark for ever."""
        while True:
            self._rules.woken.clear()
            self._rules.asleep_until = None
            read_until = self.read_until()
            # Nearly every look finds nothing: it is one statement that claims nothing.
            async with self._service.transaction() as tx:
                seen = await store.look(tx, read_until, tx.now)
            if seen.held and await mark_some(self._service, read_until):
                self._retry = RETRY
                continue
            await self._sleep(self._until(seen))

    def read_until(self) -> dict[int, datetime]:
        """Partition → the last moment at which its log was known to be read to the end."""
        now = self._service.runtime.clock.now()
        consumer = self._service.consumer
        if consumer is None:
            return dict.fromkeys(range(PARTITIONS), now)
        caught_up = consumer.caught_up()
        own = consumer.partitions()
        self._read_until = {
            partition: now
            if partition in caught_up
            else min(now, self._read_until.get(partition, NEVER))
            for partition in own
        }
        return self._read_until

    def _until(self, seen: Look) -> float:
        """Seconds to sleep."""
        self._rules.asleep_until = seen.upcoming
        wait = LONGEST_SLEEP
        if seen.upcoming is not None:
            now = self._service.runtime.clock.now()
            wait = min(wait, max(0.0, (seen.upcoming - now).total_seconds()))
        if not seen.late:
            self._retry = RETRY
        else:
            # What was not read yet will be in a moment; what is parked stays so for long.
            longest = 1.0 if seen.held else 0.1
            wait = min(wait, self._retry, longest)
            self._retry = min(2 * self._retry, longest)
        return wait

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rules.woken.wait(), seconds)


async def follow_rules(service: Service[Deps]) -> None:
    """Use what is stored, whoever edited it, and count open deadlines by a new calendar."""
    rules = service.deps
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
        await tell_quiet_hours(service)
        await tell_promises(service)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rules.edited.wait(), FOLLOW_EVERY)


async def tell_quiet_hours(service: Service[Deps]) -> bool:
    """Tell the quiet hours in force where other processes know other ones; True if they were told.

    They are compared, and not only told when they are published: a restored database, or code that
    knows nothing of them, may have put an earlier version in force."""
    rules, directory = service.deps, service.runtime.directory
    if not directory.loaded:
        return False
    known = directory.quiet_hours
    wanted = rules.policy.quiet
    if wanted == quiet_of(known):
        return False
    if rules.told_quiet == (rules.current, known):
        return False  # It is on its way.
    async with service.transaction() as tx:
        tx.emit(quiet_hours_set(rules.policy, tx.now))
    rules.told_quiet = (rules.current, known)
    return True


async def tell_promises(service: Service[Deps]) -> bool:
    """Tell what the policy in force promises in general, likewise; True if it was told.

    Where nothing is known yet it is told too: the public form names no figure until it is."""
    rules, directory = service.deps, service.runtime.directory
    if not directory.loaded:
        return False
    known = directory.promises
    wanted = ordinary_promises_set(rules.policy, service.runtime.clock.now())
    if known is not None and wanted.times == known.times:
        return False
    if rules.told_promises == (rules.current, known):
        return False  # It is on its way.
    async with service.transaction() as tx:
        tx.emit(wanted)
    rules.told_promises = (rules.current, known)
    return True


async def recount_open(service: Service[Deps], *, settle: bool = False) -> int:
    """Count open deadlines by the newest calendar, emit those that moved; returns how many cases.

    Repeating it does no harm: what stands already is not emitted again.
    """
    rules = service.deps
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
                pinned = rules.rules(before.policy_version, cause="calendar")
                update = cases.recompute(before, pinned, at=tx.now, reason=reason)
                apply(tx, feedback_id, update)
                moved += bool(update.changes or update.reached)
        last = ids[-1]
    log.info("open deadlines counted anew", calendar=version, moved=moved)
    return moved
