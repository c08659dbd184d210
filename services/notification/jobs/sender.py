"""What waits in the ledger is sent, a few at a time for every receiver.

Intent first, outcome afterwards, each in its own commit; nothing is sent inside a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import datetime, timedelta

import structlog
from aiokafka.errors import KafkaError

from services.notification import domain, store
from services.notification.deps import Deps
from services.notification.domain import State
from services.notification.jobs import outages
from services.notification.jobs.attempts import Attempt, begin, transport_name
from services.notification.jobs.lost import LostDeliveries
from services.notification.jobs.recall import recall
from services.notification.ledger import outcomes
from services.notification.store import DeliveryRow
from services.notification.transports import (
    Interrupted,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from shared.messaging.failures import Backoff, is_transient
from shared.messaging.kill_points import kill_point
from shared.service import Service

log = structlog.get_logger()

PER_RATE_LIMIT_KEY = 8
"""At once to one mail domain, or through one official account; to one receiver never two."""
SWEEP = 1.0
"""Seconds between looks without a reason to look."""
SWEEP_LOST = timedelta(seconds=30)
CATCH_UP = 30.0
"""Seconds the first message waits at most for what the log has to say, before and after."""
DRAIN, LAST_WORDS = 3.0, 1.5
"""Seconds for what is under way when the process is asked to stop, and then for the books."""

_GOING = domain.WAITING | {State.SENDING}


class Sender:
    """Sends what is due, for as long as it runs."""

    def __init__(self, service: Service[Deps], deps: Deps) -> None:
        self._service, self._deps = service, deps
        self.lost = LostDeliveries(service, deps)
        self._attempts: dict[asyncio.Task[None], Attempt] = {}
        self._claimed: list[Attempt] = []
        """Claimed in a transaction of which we do not know yet that it stands."""
        self._started = False
        self._swept: datetime | None = None

    async def run(self) -> None:
        """The loop; ends only when it is cancelled."""
        try:
            await self._put_back()
            if not self._started:
                await self.lost.give_up_interrupted(since_start=True)
                await self._catch_up()
                await self._recall()
                self._started = True
            while True:
                # Before the look, not after: a wake-up in between would be lost.
                self._deps.wake.clear()
                await self._sweep()
                # Nearly every look finds nothing: claiming costs five times as much.
                due = await self._next_due_at()
                if due is None or due > self._now() or not await self.start_due():
                    await self._wait(due)
        finally:
            await self._drain()

    # -- what is due ---------------------------------------------------------------------------

    async def start_due(self) -> int:
        """Begin everything that is due and fits; returns how many it dealt with."""
        attempts, kept_back = await self._claim()
        self._claimed = []
        for attempt in attempts:
            task = asyncio.create_task(self._send(attempt), name=f"delivery.{attempt.delivery}")
            self._attempts[task] = attempt
            task.add_done_callback(self._done)
        return len(attempts) + kept_back

    async def send_all_due(self) -> None:
        """For tests and by hand: send until nothing is due."""
        while await self.start_due() or self._attempts:
            await asyncio.gather(*self._attempts)

    async def _claim(self) -> tuple[list[Attempt], int]:
        """What goes out now, and how many were settled without."""
        under_way = self._attempts.values()
        keys = Counter(a.rate_limit_key for a in under_way)
        transports = Counter(a.transport_name for a in under_way)
        busy = {a.receiver for a in under_way}
        async with self._service.transaction() as tx:
            found = await store.next_due(
                tx,
                now=tx.now,
                busy=busy,
                per_key=PER_RATE_LIMIT_KEY,
                full_keys=[key for key, n in keys.items() if n >= PER_RATE_LIMIT_KEY],
                full_transports=self._full(transports, tx.now),
            )
            chosen: list[tuple[str, str]] = []
            for delivery, feedback_id, key, receiver in found:
                transport = transport_name(key)
                if receiver in busy or keys[key] >= PER_RATE_LIMIT_KEY:
                    continue
                if transports[transport] >= outages.capacity(self._deps.outages, transport, tx.now):
                    continue
                busy.add(receiver)
                keys[key] += 1
                transports[transport] += 1
                chosen.append((delivery, feedback_id))
            if not chosen:
                return [], 0
            free = await store.lock_free_cases(tx, (case for _, case in chosen))
            await store.load(tx, free)
            rows = [tx.rows(DeliveryRow).get(delivery) for delivery, _ in chosen]
            # In one order everywhere: the count of receipts takes a lock per receiver.
            attempts = [
                await begin(tx, row, self._deps)
                for row in sorted(filter(None, rows), key=lambda r: r.receiver)
            ]
            kept_back = sum(r is not None and State(r.state) not in _GOING for r in rows)
            self._claimed = [a for a in attempts if a is not None]
        return self._claimed, kept_back

    def _full(self, under_way: Counter[str], now: datetime) -> list[str]:
        return outages.full(self._deps.outages, under_way, now)

    # -- sending -------------------------------------------------------------------------------

    async def _send(self, attempt: Attempt) -> None:
        kill_point("delivery.before_send")
        outcome: outcomes.Outcome
        try:
            outcome = await attempt.transport.send(attempt.message)
        except (TemporaryFailure, PermanentFailure, UnknownOutcome) as undelivered:
            outcome = undelivered
        except Exception as error:
            # A transport that breaks its word: nobody knows how far it came.
            # Its words stay out of the log: an address may stand in them.
            log.error("transport failed", delivery=attempt.delivery, error=type(error).__name__)
            outcome = UnknownOutcome("transport_failed")
        kill_point("delivery.after_send")
        now = self._service.runtime.clock.now()
        outages.note(self._deps.outages, attempt.transport_name, outcome, now)
        await self._write_down(attempt, outcome)

    async def _write_down(self, attempt: Attempt, outcome: outcomes.Outcome) -> None:
        """Until it stands in the ledger: what we know must not be lost with a database away."""
        backoff = Backoff()
        while True:
            try:
                async with self._service.transaction() as tx:
                    await tx.lock(attempt.feedback_id)
                    await store.load(tx, [attempt.feedback_id])
                    row = tx.rows(DeliveryRow).get(attempt.delivery)
                    if row is None or row.attempts != attempt.number:
                        return
                    late = State(row.state) is State.UNCERTAIN
                    if State(row.state) is State.SENDING or (
                        late and not isinstance(outcome, UnknownOutcome | TemporaryFailure)
                    ):
                        outcomes.finish(tx, row, outcome, attempt.promised)
                return
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(backoff.next())

    async def _put_back(self) -> None:
        """A commit went unanswered: what it claimed may stand in the ledger, and was never sent."""
        for attempt in self._claimed:
            await self._write_down(attempt, Interrupted())
        self._claimed = []

    def _done(self, task: asyncio.Task[None]) -> None:
        attempt = self._attempts.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "delivery failed",
                delivery=attempt.delivery,
                feedback_id=attempt.feedback_id,
                error=type(error).__name__,
            )
        self._deps.wake.set()

    # -- waiting and stopping ------------------------------------------------------------------

    async def _sweep(self) -> None:
        now = self._service.runtime.clock.now()
        if self._swept is None or abs(now - self._swept) >= SWEEP_LOST:
            self._swept = now
            mine = [a.delivery for a in self._attempts.values()]
            await self.lost.give_up_interrupted(besides=mine)
            await self.lost.give_up_contacts()

    async def _catch_up(self) -> None:
        """Wait until the log has been read: some may need no sending any more."""
        calm = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                while (consumer := self._service.consumer) is not None and calm < 5:
                    await asyncio.sleep(0.2)
                    read = consumer.health.assigned and consumer.measure_lag() == 0
                    calm = calm + 1 if read else 0

    async def _recall(self) -> None:
        """Ask the log what is out already; one that cannot be read now must not stop the mail."""
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(CATCH_UP):
                await recall(self._service)

    def _now(self) -> datetime:
        return self._service.runtime.clock.now()

    async def _next_due_at(self) -> datetime | None:
        transports = Counter(a.transport_name for a in self._attempts.values())
        async with self._service.transaction() as tx:
            full = self._full(transports, tx.now)
            return await store.next_due_at(tx, full_transports=full)

    async def _wait(self, due: datetime | None) -> None:
        wait = SWEEP
        if due is not None:
            # Due and still here: its key is full or its case is busy; somebody will wake us.
            wait = min(max((due - self._now()).total_seconds(), 0.05), SWEEP)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._deps.wake.wait(), wait)

    async def _drain(self) -> None:
        """Let what is under way come to its end; what was not handed over yet goes back."""
        if not self._attempts:
            return
        _, slow = await asyncio.wait(list(self._attempts), timeout=DRAIN)
        for task in slow:
            task.cancel()
        if slow:
            await asyncio.wait(slow, timeout=LAST_WORDS)
