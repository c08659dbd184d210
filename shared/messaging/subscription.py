"""What a service takes from the log, and how a batch of it is taken in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import structlog
from aiokafka import ConsumerRecord
from sqlmodel import SQLModel

from shared.contracts import EVENTS, REGISTER, ErasureAcknowledged, Event, UnknownEvent
from shared.messaging.dead_letters import bury, letters_of, missing_before, purge, review
from shared.messaging.envelope import InvalidMessage, Record, record_of
from shared.messaging.foreground import Foreground
from shared.messaging.passed_over import is_passed_over
from shared.messaging.transaction import Transaction, ids_of
from shared.observability.metrics import REFUSED_RECORDS

log = structlog.get_logger()

Kept = dict[str, set[tuple[str, int] | str | None]]
"""Case → identities of the records that are dead letters of it."""
Handler = Callable[[Any, Transaction], Awaitable[None]]
RawHandler = Callable[[Record, Transaction], Awaitable[None]]

YIELD_EVERY = 5
"""After so many events of a batch the entry points and the other services have their turn."""
LINGER = 0.1
"""Seconds for which events that nobody waits for are gathered."""


@dataclass(frozen=True)
class Subscription:
    """What a service takes from the log.

    `handlers` names a coroutine per event class; the class `Event` itself stands for every event of
    ``feedback.events``, before the particular one. `raw` takes whole topics of foreign messages,
    and `unreadable` their batches that cannot be decoded: the body is the batch as it lies in the
    log, the header ``reason`` says what is wrong. A topic without it stands still at such a batch.
    `tombstones` takes the erasures of a compacted topic: they never wait behind a dead letter, and
    that of a whole case is answered by the event `acknowledge`. The rows that a batch's cases have
    in the tables `loads` are read as these are locked; `prefetch` brings what else is needed.
    `guard` is asked first in every transaction of a consumer, with the consumer's group; it raises
    where that group may no longer write. `concerns` has a question per event class: an event to
    which it answers no changes nothing here, whatever is known of its case, and is passed over
    without a transaction (not for who takes every type in). `own` makes again, of the service's own
    events, what its database has lost (see `recollecting`), and `own_tombstones` of its erasures,
    by topic; nothing else is ever given to these.

    A case has several events within a moment, and whoever processes them together leaves the
    processor to those somebody waits for: for `linger` seconds after an event others are gathered
    and join its transaction, unless one of the classes in `urgent` is among them; for these nobody
    rests between two polls either, when they were committed in this process. They lie in this
    process meanwhile and count as not yet read; with `linger_at_broker` they lie there, unseen,
    which saves most of the requests. Nothing can be urgent then, and whoever needs to know how far
    the log goes *now* must not choose it.
    """

    handlers: Mapping[type[Event], Handler]
    raw: Mapping[str, RawHandler] = field(default_factory=dict)
    unreadable: Mapping[str, RawHandler] = field(default_factory=dict)
    tombstones: Mapping[str, RawHandler] = field(default_factory=dict)
    acknowledge: type[ErasureAcknowledged] | None = None
    loads: Sequence[type[SQLModel]] = ()
    prefetch: Callable[[Transaction, list[str]], Awaitable[None]] | None = None
    guard: Callable[[Transaction, str], Awaitable[None]] | None = None
    own: Mapping[type[Event], Handler] = field(default_factory=dict)
    own_tombstones: Mapping[str, RawHandler] = field(default_factory=dict)
    concerns: Mapping[type[Event], Callable[[Any], bool]] = field(default_factory=dict)
    linger: float = 0.0
    urgent: Set[type[Event]] = frozenset()
    linger_at_broker: bool = False

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics these handlers live on."""
        named = {c.topic for c in self.handlers if c is not Event}
        if Event in self.handlers:
            named.add(EVENTS)
        return tuple(sorted(named | set(self.raw)))

    def wants(self, topic: str, event_type: str, *, own: bool = False) -> bool:
        """True for a message that a handler waits for; the rest is passed over unread.

        Never for the service's `own` events: what they say was written when they were emitted.
        """
        if topic in self.raw:
            return True
        if own:
            return False
        if topic in self.tombstones or (Event in self.handlers and topic == EVENTS):
            return True
        return event_type in self._types

    def is_concerned(self, record: Record) -> bool:
        """False for an event that changes nothing here. What cannot be read is for the handlers."""
        event_class = REGISTER.get(record.type)
        concerns = None if event_class is None else self.concerns.get(event_class)
        if concerns is None or record.refused is not None:
            return True
        try:
            return concerns(record.event())
        except InvalidMessage:
            return True

    def can_wait(self, records: Iterable[Record]) -> bool:
        """Whether others may be gathered before these are processed."""
        urgent = self.urgent_types
        return self.linger > 0 and all(r.type not in urgent for r in records)

    @property
    def is_patient(self) -> bool:
        """True where nobody waits for anything that is taken: all of it may be gathered."""
        return self.linger > 0 and not self.urgent

    @property
    def sees_all(self) -> bool:
        """True for who takes every type in, and so knows when a number is missing."""
        return Event in self.handlers

    async def process_batch(
        self, tx: Transaction, records: Sequence[Record], foreground: Foreground | None = None
    ) -> None:
        """Hand the records that are new to their handlers, in order.

        Their cases are locked first, in id order. An event of a parked case is parked behind it.
        What the service emitted itself, or nobody of the system can have sent, is passed over.
        """
        records = [r for r in records if self._is_for_us(tx, r)]
        cases = ids_of(records)
        await tx.lock(*cases, loading=self.loads)
        kept = await self._kept(tx, cases)
        await self.prepare(tx, cases)
        foreground = foreground or Foreground()
        until = foreground.patience() if self.is_patient else 0.0
        for n, record in enumerate(records, 1):
            if not n % YIELD_EVERY:
                await foreground.give_way(until)
            if await self._is_new(tx, record, kept):
                await self.hand_over(tx, record)
        await self._review(tx, cases)

    async def refuse(self, tx: Transaction, record: Record, error: str) -> None:
        """Bury a record that failed alone, unless another owner of the partition was faster.

        One that was passed over before the log was read anew is passed over again.
        """
        cases = ids_of([record])
        await tx.lock(*cases)
        is_new = await self._is_new(tx, record, await self._kept(tx, cases))
        if is_new and not await is_passed_over(tx, record):
            await bury(tx, record, error=error)
        await self._review(tx, cases)

    def _is_for_us(self, tx: Transaction, record: Record) -> bool:
        if record.topic not in self.raw and record.source == tx.service:
            return False
        beside_erasures = record.topic in self.tombstones and record.body is not None
        if beside_erasures and record.type not in self._types:
            # The topic is read for its erasures; of the rest only what has a handler counts.
            return False
        if (reason := record.refused) is None:
            return True
        tx.after_commit(partial(count_refused, tx.service, record, reason))
        return False

    async def _is_new(self, tx: Transaction, record: Record, kept: Kept) -> bool:
        """Whether `record` is to be handled now. If it has to wait, it is a letter afterwards."""
        case, number = record.feedback_id, record.sequence
        if case is None or self._erases(record):
            return True
        if record.identity in kept.get(case, ()):
            return False
        missing = None
        if number is not None:
            if number <= tx.streams.taken(case, record.source):
                return False
            missing = await missing_before(tx, record) if self.sees_all else None
            if missing is None:
                tx.streams.take(case, record.source, number)
        if missing is None and case not in tx.parked:
            return True
        await bury(tx, record, missing=missing)
        kept.setdefault(case, set()).add(record.identity)
        return False

    async def _kept(self, tx: Transaction, cases: Iterable[str]) -> Kept:
        """What is already a letter, of the cases that have some."""
        letters = await letters_of(tx, [c for c in cases if c in tx.parked])
        return {case: {x.record.identity for x in of} for case, of in letters.items()}

    async def _review(self, tx: Transaction, cases: Iterable[str]) -> None:
        for case in cases:
            if case in tx.parked:
                await review(tx, case)

    async def recollect(self, tx: Transaction, record: Record) -> None:
        """Make of an event of the service itself what its database has lost; its case is locked."""
        tx.cause = record
        if record.body is None:
            if erased := self.own_tombstones.get(record.topic):
                await erased(record, tx)
        elif (event_class := REGISTER.get(record.type)) and event_class in self.own:
            await self.own[event_class](record.event(), tx)

    async def apply_letter(self, tx: Transaction, record: Record) -> None:
        """Hand a dead letter to its handlers; its case is locked."""
        await self.prepare(tx, [record.feedback_id] if record.feedback_id else [])
        await self.hand_over(tx, record)

    async def prepare(self, tx: Transaction, cases: list[str]) -> None:
        """Read what handlers need of these locked cases and nobody has read yet."""
        if not cases:
            return
        if self.loads:
            await tx.load(cases, *self.loads)
        if self.prefetch is not None:
            await self.prefetch(tx, cases)

    async def hand_over(self, tx: Transaction, record: Record) -> None:
        """Call the handlers that are named for this record."""
        tx.cause = record
        if raw := self.raw.get(record.topic):
            await raw(record, tx)
            return
        if record.body is None:
            if self._erases(record):
                await self._erase(tx, record)
            return
        event = record.event()
        if Event in self.handlers and record.topic == EVENTS:
            await self.handlers[Event](event, tx)
        if particular := self.handlers.get(type(event)):
            await particular(event, tx)

    def _erases(self, record: Record) -> bool:
        known = REGISTER.get(record.type)
        return (
            record.body is None
            and record.topic in self.tombstones
            and known is not None
            and known.tombstone is not Event.tombstone
        )

    async def _erase(self, tx: Transaction, record: Record) -> None:
        """Forget an entry, in the letters too; that of the case itself is acknowledged."""
        case = record.feedback_id
        assert case is not None
        whole = record.key == case.encode()
        await purge(tx, case, None if whole else record.key)
        await self.tombstones[record.topic](record, tx)
        if whole and self.acknowledge is not None:
            tx.emit(self.acknowledge(feedback_id=case, at=tx.now))

    @cached_property
    def urgent_types(self) -> frozenset[str]:
        """The same by name."""
        return frozenset(c.type for c in self.urgent)

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(c.type for c in self.handlers if c not in (Event, UnknownEvent))


def believed(reader: str, raw: ConsumerRecord) -> Record | None:
    """A message that `reader` reads outside its subscription; None, and counted, where refused."""
    record = record_of(raw)
    if (reason := record.refused) is None:
        return record
    count_refused(reader, record, reason)
    return None


def count_refused(service: str, record: Record, reason: str) -> None:
    """Say that a record was not believed; no value of it is repeated but its place."""
    REFUSED_RECORDS.labels(service, reason).inc()
    log.warning(
        "record not believed",
        service=service,
        reason=reason,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
