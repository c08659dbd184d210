"""What a service takes from the log, and how a batch of it is taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contracts import EVENTS, Event
from shared.messaging.dead_letters import bury
from shared.messaging.envelope import Record
from shared.messaging.transaction import Transaction, ids_of

Handler = Callable[[Any, Transaction], Awaitable[None]]
RawHandler = Callable[[Record, Transaction], Awaitable[None]]

BREATH = 20
"""After so many facts of a batch the door and the other services have their turn."""
PACE = 0.05
"""Seconds between the polls of a service that is not on the way from door to department."""


@dataclass(frozen=True)
class Intake:
    """What a service takes from the log.

    `handlers` names a coroutine per fact class; the class `Event` itself stands for every fact of
    ``feedback.events``, before the particular one. `raw` takes whole topics of foreign messages,
    `tombstones` the erasures of a compacted topic. `prefetch` loads the rows of a batch's cases
    once. `guard` is asked first in every transaction of a consumer, with the consumer's group; it
    raises where that group may no longer write. `pace` is the least time between two small polls,
    in seconds: a case has several facts within a moment, and whoever takes them at once leaves the
    processor to those somebody waits for.
    """

    handlers: Mapping[type[Event], Handler]
    raw: Mapping[str, RawHandler] = field(default_factory=dict)
    tombstones: Mapping[str, RawHandler] = field(default_factory=dict)
    prefetch: Callable[[Transaction, list[str]], Awaitable[None]] | None = None
    guard: Callable[[Transaction, str], Awaitable[None]] | None = None
    pace: float = 0.0

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics these handlers live on."""
        named = {c.topic for c in self.handlers if c is not Event}
        if Event in self.handlers:
            named.add(EVENTS)
        return tuple(sorted(named | set(self.raw)))

    def wants(self, topic: str, fact_type: str) -> bool:
        """True for a message that a handler waits for; the rest is passed over unread."""
        if topic in self.raw or topic in self.tombstones:
            return True
        if Event in self.handlers and topic == EVENTS:
            return True
        return fact_type in self._types

    async def take_in(self, tx: Transaction, records: Sequence[Record]) -> None:
        """Enter `records` in the inbox and hand those it did not know to their handlers, in order.

        Their cases are locked first, in id order. A fact of a parked case is parked behind it.
        """
        fresh = await tx.take_in([r.ce_id for r in records if r.ce_id])
        new = []
        for record in records:
            if record.ce_id is None or record.ce_id in fresh:
                new.append(record)
                if record.ce_id:
                    fresh.discard(record.ce_id)
        cases = ids_of(new)
        await tx.lock(*cases)
        if self.prefetch is not None and cases:
            await self.prefetch(tx, cases)
        for n, record in enumerate(new, 1):
            if not n % BREATH:
                await asyncio.sleep(0)
            if record.feedback_id in tx.parked:
                await bury(tx, record, None)
            else:
                await self.hand_over(tx, record)

    async def hand_over(self, tx: Transaction, record: Record) -> None:
        """Call the handlers that are named for this record."""
        tx.cause = record
        if raw := self.raw.get(record.topic):
            await raw(record, tx)
            return
        if record.body is None:
            if eraser := self.tombstones.get(record.topic):
                await eraser(record, tx)
            return
        event = record.event()
        if Event in self.handlers and record.topic == EVENTS:
            await self.handlers[Event](event, tx)
        if particular := self.handlers.get(type(event)):
            await particular(event, tx)

    @property
    def _types(self) -> frozenset[str]:
        cached = self.__dict__.get("_type_names")
        if cached is None:
            cached = frozenset(c.type for c in self.handlers if c is not Event)
            object.__setattr__(self, "_type_names", cached)
        return cached
