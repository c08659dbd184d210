"""The unit of work: everything one door does, or one poll of the log brings, in one commit.

State, inbox and outbox are written together or not at all. A case is locked by its row in
``streams``, which also counts what this service told about it, so that ``ce_sequence`` has no gap.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import asyncpg
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.clock import Clock
from shared.contracts import EVENTS, Event
from shared.db.engine import driver_of
from shared.ids import new_id
from shared.messaging.envelope import Record, headers_for
from shared.messaging.shelf import Shelf
from shared.messaging.tally import Tally

Row = TypeVar("Row", bound=SQLModel)

# The upsert locks rows that exist and makes those that do not, in id order, in one round trip.
_LOCK = """
INSERT INTO streams (feedback_id) SELECT unnest($1::text[])
ON CONFLICT (feedback_id) DO UPDATE SET seq = streams.seq
RETURNING feedback_id, seq,
  EXISTS (SELECT 1 FROM dead_letters d WHERE d.feedback_id = streams.feedback_id) AS parked
"""
_TAKE_IN = """
INSERT INTO inbox (ce_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING ce_id
"""
# What is told and how far each case's sequence has come, in one round trip.
_TELL = """
WITH counted AS (
  INSERT INTO streams (feedback_id, seq) SELECT * FROM unnest($1::text[], $2::int[])
  ON CONFLICT (feedback_id) DO UPDATE SET seq = EXCLUDED.seq
)
INSERT INTO outbox (ce_id, topic, key, seq, headers, body)
SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::jsonb[], $8::bytea[])
"""


class Holding(Protocol):
    """What a service holds in memory during one transaction and makes into rows at its end."""

    def __init__(self, tx: Transaction) -> None: ...

    async def settle(self) -> None:
        """Put on the shelves what differs since the last time."""


Held = TypeVar("Held", bound=Holding)


class CaseNotLocked(RuntimeError):
    """A fact was told about a case this transaction has not locked: a bug in the caller."""


class WrongOwner(RuntimeError):
    """A service told a fact that belongs to another service: a bug in the caller."""


class Transaction:
    """One unit of work of `service`. Made by `transaction`, never by hand."""

    def __init__(
        self, service: str, connection: AsyncConnection, clock: Clock, tools: Any = None
    ) -> None:
        self.service = service
        self.connection = connection
        self.clock = clock
        self.tools = tools
        """What the service's `app.py` gave its doors to work with (rules, calendars …)."""
        self.cause: Record | None = None
        """The fact being handled; what is told now is told because of it."""
        self.parked: set[str] = set()
        """Locked cases behind whose dead letter later facts have to wait."""
        self._session: AsyncSession | None = None
        self._shelves: dict[type[SQLModel], Shelf[Any]] = {}
        self._tallies: dict[type[SQLModel], Tally] = {}
        self._holdings: dict[type[Any], Holding] = {}
        self._sequences: dict[str, int] = {}
        self._told: set[str] = set()
        self._outbox: list[tuple[str, str, str | None, int | None, str, bytes | None]] = []
        self._after: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """The present moment, by the injected clock."""
        return self.clock.now()

    @property
    def session(self) -> AsyncSession:
        """A SQLModel session on this transaction, for the queries of pages and administration."""
        if self._session is None:
            self._session = AsyncSession(bind=self.connection, expire_on_commit=False)
        return self._session

    @property
    def has_news(self) -> bool:
        """True once something was told."""
        return bool(self._outbox)

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement with ``$1``, ``$2`` … on the bare driver: half the price."""
        rows: list[asyncpg.Record] = await driver_of(self.connection).fetch(statement, *values)
        return rows

    async def lock(self, *feedback_ids: str) -> None:
        """Lock these cases, new ones included, in id order; nobody else changes them now."""
        wanted = sorted({i for i in feedback_ids if i not in self._sequences})
        if not wanted:
            return
        for row in await self.fetch(_LOCK, wanted):
            self._sequences[row["feedback_id"]] = row["seq"]
            if row["parked"]:
                self.parked.add(row["feedback_id"])

    def begin_case(self, feedback_id: str) -> None:
        """Take a case whose id was made just now: nobody else can know it, no lock is needed."""
        self._sequences.setdefault(feedback_id, 0)

    async def take_in(self, ce_ids: Sequence[str]) -> set[str]:
        """Enter facts in the inbox; the answer is those not seen before."""
        if not ce_ids:
            return set()
        # In id order, so that an overlapping owner of the same facts waits instead of deadlocking.
        return {row["ce_id"] for row in await self.fetch(_TAKE_IN, sorted(set(ce_ids)))}

    def shelf(self, row_class: type[Row]) -> Shelf[Row]:
        """The rows of this table that the transaction holds."""
        shelf = self._shelves.get(row_class)
        if shelf is None:
            shelf = self._shelves[row_class] = Shelf(row_class, self.fetch)
        return shelf

    def tally(self, row_class: type[SQLModel]) -> Tally:
        """The sums in this table; what is added to them is written once, when it commits."""
        tally = self._tallies.get(row_class)
        if tally is None:
            tally = self._tallies[row_class] = Tally(row_class, self.fetch)
        return tally

    def holding(self, kind: type[Held]) -> Held:
        """What the service itself holds through the transaction; settled when it commits."""
        holding = self._holdings.get(kind)
        if holding is None:
            holding = self._holdings[kind] = kind(self)
        return holding  # type: ignore[return-value]

    def emit(self, event: Event) -> str:
        """Tell `event`, which this service owns, when the transaction commits; gives its id."""
        if event.owner != self.service:
            raise WrongOwner(f"{event.type} belongs to {event.owner}, not to {self.service}")
        sequence: int | None = None
        if event.topic == EVENTS:
            if event.feedback_id not in self._sequences:
                raise CaseNotLocked(f"{event.type} about {event.feedback_id}")
            sequence = self._sequences[event.feedback_id] + 1
            self._sequences[event.feedback_id] = sequence
            self._told.add(event.feedback_id)
        ce_id = new_id()
        headers = headers_for(
            event, ce_id=ce_id, source=self.service, sequence=sequence, cause=self.cause
        )
        body = None if event.tombstone else to_json(event, exclude_none=True)
        self._outbox.append((ce_id, event.topic, event.key, sequence, _text(headers), body))
        return ce_id

    def publish(
        self, topic: str, *, key: str | None, body: bytes | None, headers: dict[str, str]
    ) -> None:
        """Send raw bytes to `topic` when the transaction commits (for refused messages)."""
        self._outbox.append((new_id(), topic, key, None, _text(headers), body))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` once the commit is durable; never when it is not."""
        self._after.append(call)

    async def flush(self) -> None:
        """Write everything held in memory; the commit follows at the door."""
        for holding in self._holdings.values():
            await holding.settle()
        for shelf in self._shelves.values():
            await shelf.flush()
        for tally in self._tallies.values():
            await tally.flush()
        if self._session is not None:
            await self._session.flush()
        if self._outbox:
            told = sorted(self._told)
            sequences = [self._sequences[i] for i in told]
            outbox = (list(c) for c in zip(*self._outbox, strict=True))
            await self.fetch(_TELL, told, sequences, *outbox)
            self._told.clear()
            self._outbox.clear()

    def _committed(self) -> None:
        for call in self._after:
            call()


@asynccontextmanager
async def transaction(
    service: str,
    engine: AsyncEngine,
    clock: Clock,
    on_news: Callable[[], None],
    tools: Any = None,
) -> AsyncIterator[Transaction]:
    """Open a unit of work; commit when the block ends well, roll back when it does not.

    `engine` is a `driven` one: the driver begins and commits, which costs half of what SQLAlchemy
    pays for it. `on_news` is called after a commit that told something, to wake the relay.
    """
    async with engine.connect() as connection:
        tx = Transaction(service, connection, clock, tools)
        driver = driver_of(connection)
        try:
            async with driver.transaction():
                yield tx
                news = tx.has_news
                await tx.flush()
        except asyncpg.InternalClientError:
            await connection.invalidate()
            raise
        finally:
            # The pool sees nothing of this; it must not get back what is of no use to the next.
            if driver.is_closed() or driver.is_in_transaction():
                await connection.invalidate()
        if news:
            on_news()
        tx._committed()


def _text(headers: dict[str, str]) -> str:
    return to_json(headers).decode()


def ids_of(records: Iterable[Record]) -> list[str]:
    """The cases these records belong to, each once, in order of appearance."""
    return list(dict.fromkeys(r.feedback_id for r in records if r.feedback_id))
