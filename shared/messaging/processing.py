"""What becomes of a batch: one transaction; what fails, one by one; what never works is buried.

The only offset that decides what an error of a handler means for the events behind it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from shared.messaging.dead_letters import heal, heal_all, reason_of
from shared.messaging.envelope import Record
from shared.messaging.failures import is_timeout, is_transient, location_of
from shared.messaging.foreground import Foreground
from shared.messaging.kill_points import kill_point
from shared.messaging.subscription import RawHandler, Subscription
from shared.messaging.transaction import Transaction

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger()

BURIED_IN_A_ROW = 20
"""Dead letters without one good event in between; at the next one the fault is taken for ours."""
TIMEOUT_TRIES = 5
"""How often an event may time out, alone and while the database answers, before it is buried."""


@dataclass(frozen=True)
class Outcome:
    """How far a batch came: its first `done` records need not come again.

    With `error` the rest is to be tried later; with `stop` never, by this process.
    """

    done: int
    error: Exception | None = None
    stop: str | None = None


class Processor:
    """Takes the batches of one consumer, in order."""

    def __init__(
        self,
        service: str,
        group: str,
        subscription: Subscription,
        open_transaction: Callable[[], AbstractAsyncContextManager[Transaction]],
        foreground: Foreground | None = None,
    ) -> None:
        self._service, self._group, self._subscription = service, group, subscription
        self._open, self._foreground = open_transaction, foreground or Foreground()
        self._buried_in_a_row = 0
        self._timeouts: dict[tuple[str, int, int], int] = {}

    async def process(self, records: Sequence[Record]) -> Outcome:
        """Process `records` in one transaction; those of a batch that fails one by one."""
        done = 0
        somebody_waits = not self._subscription.can_wait(records)
        with self._foreground if somebody_waits else nullcontext():
            for run in self._runs(records):
                outcome = await self._process_run(run)
                done += outcome.done
                if outcome.error is not None or outcome.stop is not None:
                    return replace(outcome, done=done)
        return Outcome(done)

    def _runs(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        """All together, but each that ran out of time before alone."""
        start = 0
        for n, record in enumerate(records) if self._timeouts else ():
            if _offset_of(record) in self._timeouts:
                if start < n:
                    yield records[start:n]
                yield records[n : n + 1]
                start = n + 1
        if start < len(records):
            yield records[start:]

    async def _process_run(self, records: Sequence[Record]) -> Outcome:
        if _offset_of(records[0]) not in self._timeouts:
            try:
                await self._in_one_transaction(records)
            except Exception as error:
                # Whose fault a timeout is, a single event shows; anything else that may pass waits.
                if is_transient(error) and not is_timeout(error):
                    return Outcome(0, error)
            else:
                self._buried_in_a_row = 0
                return Outcome(len(records))
        return await self._one_by_one(records)

    async def hand_on(self, record: Record, handler: RawHandler) -> None:
        """Give `handler` what could not be decoded, in a transaction of its own."""
        async with self._transaction() as tx:
            await handler(record, tx)

    def forget_timeouts(self) -> None:
        """The records that timed out may belong to another consumer now."""
        self._timeouts.clear()

    async def heal(self) -> None:
        """Take in parked events that wait for nothing any more; once, before the first batch."""
        await heal_all(self._transaction, self._subscription.apply_letter)

    async def _in_one_transaction(self, records: Sequence[Record]) -> None:
        async with self._transaction() as tx:
            await self._subscription.process_batch(tx, records, self._foreground)
            kill_point("consumer.before_commit")
        kill_point("consumer.after_commit")
        if tx.healable:
            await heal(self._transaction, self._subscription.apply_letter, tx.healable)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._open() as tx:
            if self._subscription.guard is not None:
                await self._subscription.guard(tx, self._group)
            yield tx

    async def _one_by_one(self, records: Sequence[Record]) -> Outcome:
        for n, record in enumerate(records):
            offset = _offset_of(record)
            try:
                await self._in_one_transaction([record])
            except Exception as error:
                if is_transient(error) and not await self._is_its_own_fault(offset, error):
                    return Outcome(n, error)
                try:
                    await self._bury(record, error)
                except Exception as failure:
                    if not is_transient(failure):
                        raise
                    return Outcome(n, failure)
                self._buried_in_a_row += 1
                if self._buried_in_a_row > BURIED_IN_A_ROW:
                    return Outcome(n + 1, stop=f"{self._buried_in_a_row} events refused in a row")
            else:
                self._buried_in_a_row = 0
            self._timeouts.pop(offset, None)
        return Outcome(len(records))

    async def _is_its_own_fault(self, offset: tuple[str, int, int], error: Exception) -> bool:
        """True for an event that times out again and again while the database answers."""
        if not is_timeout(error):
            return False
        try:
            async with self._open() as tx:
                await tx.fetch("SELECT 1")
        except Exception as failure:
            if not is_transient(failure):
                raise
            return False
        tries = self._timeouts[offset] = self._timeouts.get(offset, 0) + 1
        return tries >= TIMEOUT_TRIES

    async def _bury(self, record: Record, error: Exception) -> None:
        reason, location = reason_of(error), location_of(error)
        if is_timeout(error):
            reason += f", {TIMEOUT_TRIES} times"
        log.error(
            "event refused",
            service=self._service,
            feedback_id=record.feedback_id,
            ce_id=record.ce_id,
            ce_type=record.type,
            error=reason,
            where=location,
        )
        async with self._transaction() as tx:
            await self._subscription.refuse(tx, record, f"{reason} {location}".strip())


def _offset_of(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
