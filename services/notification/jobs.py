"""The door for the clock: what waits in the ledger is sent, a few at a time for every receiver.

Intent first, outcome afterwards, each in its own commit; nothing is sent inside a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.notification import domain, ledger, store
from services.notification.domain import REPORTER, Case, State
from services.notification.outlets import (
    NeverThere,
    OutgoingMessage,
    Outlet,
    TryLater,
    Uncertain,
)
from services.notification.outlets.base import STOPPED
from services.notification.outlets.tokens import AccessToken
from services.notification.store import DeliveryRow, PrivateRow, WechatTokenRow, case_of
from services.notification.tools import Tools
from shared.messaging.failures import Backoff, is_transient
from shared.messaging.kill_points import kill_point
from shared.messaging.transaction import Transaction
from shared.service import Service

log = structlog.get_logger()

PER_OUTLET = 24
PER_LANE = 8
"""At once to one mail domain, or through one official account; to one receiver never two."""
LEASE = timedelta(minutes=2)
"""Longer than any outlet takes: after it nobody can still be sending."""
SWEEP = 1.0
"""Seconds between looks without a reason to look."""
SWEEP_LOST = timedelta(seconds=30)
CATCH_UP = 30.0
"""Seconds the first message waits at most, so that the log can say what was sent already."""
DRAIN, LAST_WORDS = 3.0, 1.5
"""Seconds for what is under way when the process is told to stop, and then for the books."""

_GOING = domain.WAITING | {State.SENDING}


@dataclass(frozen=True)
class Errand:
    """One attempt, ready to go."""

    delivery: str
    feedback_id: str
    attempt: int
    lane: str
    receiver: str
    outlet: Outlet
    message: OutgoingMessage = field(repr=False)
    told_due: datetime | None = None


class Sender:
    """Sends what is due, for as long as it runs."""

    def __init__(self, service: Service, tools: Tools) -> None:
        self._service, self._tools = service, tools
        self._errands: dict[asyncio.Task[None], Errand] = {}
        self._claimed: list[Errand] = []
        """Claimed in a transaction of which we do not know yet that it stands."""
        self._started = False
        self._swept: datetime | None = None

    async def run(self) -> None:
        """The loop; ends only when it is told to."""
        try:
            await self._put_back()
            if not self._started:
                await self.give_up_interrupted(since_start=True)
                await self._catch_up()
                self._started = True
            while True:
                # Before the look, not after: a wake-up in between would be lost.
                self._tools.wake.clear()
                await self._sweep()
                started = await self.start_due()
                if not started:
                    await self._wait()
        finally:
            await self._drain()

    # -- what is due ---------------------------------------------------------------------------

    async def start_due(self) -> int:
        """Begin everything that is due and has room; says how many it dealt with."""
        errands, kept_back = await self._claim()
        self._claimed = []
        for errand in errands:
            task = asyncio.create_task(self._go(errand), name=f"delivery.{errand.delivery}")
            self._errands[task] = errand
            task.add_done_callback(self._done)
        return len(errands) + kept_back

    async def send_all_due(self) -> None:
        """For tests and by hand: send until nothing is due."""
        while await self.start_due() or self._errands:
            await asyncio.gather(*self._errands)

    async def _claim(self) -> tuple[list[Errand], int]:
        """What goes out now, and how many were settled without."""
        lanes = Counter(e.lane for e in self._errands.values())
        outlets = Counter(_outlet_of(lane) for lane in lanes.elements())
        busy = {e.receiver for e in self._errands.values()}
        async with self._service.transaction() as tx:
            found = await store.heads(
                tx,
                now=tx.now,
                busy=busy,
                per_lane=PER_LANE,
                full_lanes=[lane for lane, n in lanes.items() if n >= PER_LANE],
                full_outlets=[name for name, n in outlets.items() if n >= PER_OUTLET],
            )
            chosen: list[tuple[str, str]] = []
            for delivery, feedback_id, lane, receiver in found:
                outlet = _outlet_of(lane)
                if receiver in busy or lanes[lane] >= PER_LANE or outlets[outlet] >= PER_OUTLET:
                    continue
                busy.add(receiver)
                lanes[lane] += 1
                outlets[outlet] += 1
                chosen.append((delivery, feedback_id))
            if not chosen:
                return [], 0
            free = await store.lock_free_cases(tx, (case for _, case in chosen))
            await store.load(tx, free)
            rows = [tx.shelf(DeliveryRow).get(delivery) for delivery, _ in chosen]
            # In one order everywhere: the count of receipts takes a lock per receiver.
            errands = [
                await self._begin(tx, row)
                for row in sorted(filter(None, rows), key=lambda r: r.receiver)
            ]
            kept_back = sum(r is not None and State(r.state) not in _GOING for r in rows)
            self._claimed = [e for e in errands if e is not None]
        return self._claimed, kept_back

    async def _begin(self, tx: Transaction, row: DeliveryRow) -> Errand | None:
        """Once the case is locked: is it still to be sent? Then write down that it will be."""
        waiting = State(row.state) in domain.WAITING
        if not waiting or row.next_try_at is None or row.next_try_at > tx.now:
            return None
        case = case_of(tx, row.feedback_id) or Case()
        private = tx.shelf(PrivateRow).get(row.feedback_id)
        address = self._tools.address(row, private)
        if row.recipient == REPORTER and private is None:
            ledger.suppress(tx, row, domain.ERASED)
        elif domain.is_moot(row.kind, case):
            ledger.suppress(tx, row, domain.MOOT)
        elif not address:
            ledger.begin(tx, row, LEASE)
            ledger.fail(tx, row, "no_address")
        elif row.kind == "receipt" and row.channel == "email" and await self._too_many(tx, row):
            ledger.suppress(tx, row, domain.TOO_MANY)
        else:
            ledger.begin(tx, row, LEASE)
            return Errand(
                delivery=row.id,
                feedback_id=row.feedback_id,
                attempt=row.attempts,
                lane=row.lane,
                receiver=row.receiver,
                outlet=self._tools.outlet(row),
                message=self._tools.message(row, case, private, address),
                told_due=_told(row, case),
            )
        return None

    async def _too_many(self, tx: Transaction, row: DeliveryRow) -> bool:
        # What this transaction has begun for the same receiver is not there to count: a receiver
        # gets at most one delivery per claim.
        since = tx.now - timedelta(hours=24)
        sent = await store.receipts_since(tx, row.receiver, since, besides=row.id)
        return sent >= domain.RECEIPTS_A_DAY

    # -- sending -----------------------------------------------------------------------------------

    async def _go(self, errand: Errand) -> None:
        kill_point("delivery.before_send")
        outcome: ledger.Outcome
        try:
            outcome = await errand.outlet.send(errand.message)
        except (TryLater, NeverThere, Uncertain) as undelivered:
            outcome = undelivered
        except Exception as error:
            # An outlet that breaks its word: nobody knows how far it came.
            # Its words stay out of the log: an address may stand in them.
            log.error("outlet failed", delivery=errand.delivery, error=type(error).__name__)
            outcome = Uncertain("outlet_failed")
        kill_point("delivery.after_send")
        await self._write_down(errand, outcome)

    async def _write_down(self, errand: Errand, outcome: ledger.Outcome) -> None:
        """Until it stands in the ledger: what we know must not be lost with a database away."""
        backoff = Backoff()
        while True:
            try:
                async with self._service.transaction() as tx:
                    await tx.lock(errand.feedback_id)
                    await store.load(tx, [errand.feedback_id])
                    row = tx.shelf(DeliveryRow).get(errand.delivery)
                    if row is None or row.attempts != errand.attempt:
                        return
                    late = State(row.state) is State.UNCERTAIN
                    if State(row.state) is State.SENDING or (
                        late and not isinstance(outcome, Uncertain | TryLater)
                    ):
                        ledger.finish(tx, row, outcome, errand.told_due)
                return
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(backoff.next())

    async def _put_back(self) -> None:
        """A commit went unanswered: what it claimed may stand in the ledger, and was never sent."""
        for errand in self._claimed:
            await self._write_down(errand, TryLater(STOPPED))
        self._claimed = []

    def _done(self, task: asyncio.Task[None]) -> None:
        errand = self._errands.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "delivery failed",
                delivery=errand.delivery,
                feedback_id=errand.feedback_id,
                error=type(error).__name__,
            )
        self._tools.wake.set()

    # -- what was lost -----------------------------------------------------------------------------

    async def give_up_interrupted(self, *, since_start: bool = False) -> None:
        """What somebody began to send and never finished is left to a person."""
        now = self._service.house.clock.now()
        mine = [e.delivery for e in self._errands.values()]
        async with self._service.transaction() as tx:
            lost = await store.interrupted(
                tx, worker=self._tools.worker, since_start=since_start, now=now, besides=mine
            )
        for delivery, feedback_id in lost:
            await self._change(delivery, feedback_id, State.SENDING, _interrupted)

    async def give_up_contacts(self) -> None:
        """What waits for a contact that will not come."""
        before = self._service.house.clock.now() - domain.CONTACT_WITHIN
        async with self._service.transaction() as tx:
            lost = await store.without_contact(tx, before)
        for delivery, feedback_id in lost:
            await self._change(delivery, feedback_id, State.AWAITING_CONTACT, _no_contact)

    async def _change(
        self,
        delivery: str,
        feedback_id: str,
        state: State,
        change: Callable[[Transaction, DeliveryRow], None],
    ) -> None:
        async with self._service.transaction() as tx:
            await tx.lock(feedback_id)
            await store.load(tx, [feedback_id])
            row = tx.shelf(DeliveryRow).get(delivery)
            if row is not None and row.state == state:
                change(tx, row)

    async def _sweep(self) -> None:
        now = self._service.house.clock.now()
        if self._swept is None or abs(now - self._swept) >= SWEEP_LOST:
            self._swept = now
            await self.give_up_interrupted()
            await self.give_up_contacts()

    # -- waiting and stopping ----------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Wait until the log has been read: it may tell of replies, and of what was sent."""
        calm = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                while (consumer := self._service.consumer) is not None and calm < 5:
                    await asyncio.sleep(0.2)
                    read = consumer.health.assigned and consumer.measure_lag() == 0
                    calm = calm + 1 if read else 0

    async def _wait(self) -> None:
        async with self._service.transaction() as tx:
            due = await store.next_due(tx)
        wait = SWEEP
        if due is not None:
            ahead = (due - self._service.house.clock.now()).total_seconds()
            # Due and still here: its lane is full or its case is busy; somebody will wake us.
            wait = min(max(ahead, 0.05), SWEEP)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tools.wake.wait(), wait)

    async def _drain(self) -> None:
        """Let what is under way come to its end; what was not handed over yet goes back."""
        if not self._errands:
            return
        _, slow = await asyncio.wait(list(self._errands), timeout=DRAIN)
        for task in slow:
            task.cancel()
        if slow:
            await asyncio.wait(slow, timeout=LAST_WORDS)


def _outlet_of(lane: str) -> str:
    return lane.partition(":")[0]


def _told(row: DeliveryRow, case: Case) -> datetime | None:
    if row.kind in domain.WITH_PROMISE:
        return case.due
    due = row.params.get("due") if row.kind == "delay" else None
    return datetime.fromisoformat(due) if due else None


def _interrupted(tx: Transaction, row: DeliveryRow) -> None:
    ledger.leave_to_a_person(tx, row, domain.INTERRUPTED)


def _no_contact(tx: Transaction, row: DeliveryRow) -> None:
    ledger.fail(tx, row, domain.NO_CONTACT_CAME, elsewhere=False)


class TokenRows:
    """WeChat's access tokens where every process finds them."""

    def __init__(self, service: Callable[[], Service]) -> None:
        self._service = service

    async def get(self, appid: str) -> AccessToken | None:
        """The token last put."""
        async with self._service().transaction() as tx:
            row = await tx.session.get(WechatTokenRow, appid)
            return None if row is None else AccessToken(row.value, row.expires_at)

    async def put(self, appid: str, token: AccessToken) -> None:
        """Replace it."""
        async with self._service().transaction() as tx:
            await store.keep_token(tx, appid, token.value, token.expires_at)
