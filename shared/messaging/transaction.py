"""The unit of work: everything one entry point does, or one poll of the log brings, in one commit.

State, what was taken in and what is emitted are written together or not at all, in one statement.
A case is locked by its row in ``streams``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence, Set
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import asyncpg
import structlog
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.clock import Clock
from shared.contracts import EVENTS, Event
from shared.db.engine import borrowed, driver_of
from shared.ids import new_id
from shared.messaging.counters import CounterDeltas
from shared.messaging.envelope import Record, headers_for
from shared.messaging.failures import location_of
from shared.messaging.replay import Replay
from shared.messaging.row_buffer import RowBuffer, arrays_of, fill_together, load_together
from shared.messaging.seals import NO_KEY, Sealer
from shared.messaging.statements import Insert, Statement, write
from shared.messaging.streams import Streams

log = structlog.get_logger()

Row = TypeVar("Row", bound=SQLModel)

_EMIT = Insert(
    "outbox",
    {
        "ce_id": "text",
        "topic": "text",
        "key": "text",
        "seq": "int",
        "headers": "jsonb",
        "body": "bytea",
    },
)


class TransactionCache(Protocol):
    """What a service holds in memory during one transaction and makes into rows at its end."""

    def __init__(self, tx: Transaction) -> None: ...

    async def flush(self) -> None:
        """Put into the row buffers what differs since the last time."""


Cached = TypeVar("Cached", bound=TransactionCache)


class WrongOwner(RuntimeError):
    """A service emitted an event that another service owns: a bug in the caller."""


class Transaction:
    """One unit of work of `service`. Made by `transaction`, never by hand."""

    def __init__(
        self,
        service: str,
        connection: AsyncConnection,
        clock: Clock,
        deps: Any = None,
        sealer: Sealer = NO_KEY,
    ) -> None:
        self.service = service
        self.connection = connection
        self.clock = clock
        self.deps = deps
        """What the service's `app.py` gave its entry points to work with (rules, calendars …)."""
        self.sealer = sealer
        """Seals the rows that carry a seal."""
        self.cause: Record | None = None
        """The event being handled; what is emitted now is emitted because of it."""
        self.replay: Replay | None = None
        """While a restored database is brought up to the log: what stands there already."""
        self.streams = Streams(self.fetch)
        """The locked cases."""
        self.healable: set[str] = set()
        """Parked cases whose letters wait for nothing any more: redrive them after the commit."""
        self._session: AsyncSession | None = None
        self._buffers: dict[type[SQLModel], RowBuffer[Any]] = {}
        self._counters: dict[type[SQLModel], CounterDeltas] = {}
        self._caches: dict[type[Any], TransactionCache] = {}
        self._outbox: list[tuple[str, str, str | None, int | None, str, bytes | None]] = []
        self._after: list[Callable[[], None]] = []
        self.news: set[str] = set()
        """Types of what is emitted, and topics of what is published raw."""

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

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement with ``$1``, ``$2`` … on the bare driver: half the price."""
        rows: list[asyncpg.Record] = await driver_of(self.connection).fetch(statement, *values)
        return rows

    async def lock(self, *feedback_ids: str, loading: Sequence[type[SQLModel]] = ()) -> None:
        """Lock these cases, new ones included, in id order; nobody else changes them now.

        Their rows of the tables `loading` are read in the same round trip, and once more for a case
        that somebody changed while it was waited for.
        """
        if not loading:
            await self.streams.lock(feedback_ids)
            return
        buffers = [self.rows(c) for c in loading]
        true, found = await self.streams.lock_and_read(feedback_ids, arrays_of(buffers))
        fill_together(buffers, true, found)
        await load_together(self.fetch, buffers, feedback_ids)

    def begin_case(self, feedback_id: str) -> None:
        """Take a case whose id was made just now: nobody else can know it, no lock is needed."""
        self.streams.begin(feedback_id)

    @property
    def parked(self) -> Set[str]:
        """Locked cases behind whose dead letters later events have to wait."""
        return self.streams.parked

    def rows(self, row_class: type[Row]) -> RowBuffer[Row]:
        """The rows of this table that the transaction holds."""
        rows = self._buffers.get(row_class)
        if rows is None:
            rows = self._buffers[row_class] = RowBuffer(row_class, self.fetch, self.sealer)
        return rows

    async def load(self, feedback_ids: Iterable[str], *row_classes: type[SQLModel]) -> None:
        """Read the rows of these cases from all these tables, in one round trip."""
        await load_together(self.fetch, [self.rows(c) for c in row_classes], feedback_ids)

    def counters(self, row_class: type[SQLModel]) -> CounterDeltas:
        """The sums in this table; what is added to them is written once, when it commits."""
        counters = self._counters.get(row_class)
        if counters is None:
            counters = self._counters[row_class] = CounterDeltas(row_class)
        return counters

    def cache(self, kind: type[Cached]) -> Cached:
        """What the service itself holds through the transaction; settled when it commits."""
        cache = self._caches.get(kind)
        if cache is None:
            cache = self._caches[kind] = kind(self)
        return cache  # type: ignore[return-value]

    def emit(self, event: Event) -> str:
        """Emit `event`, which this service owns, when the transaction commits; gives its id.

        In a replay the id of what stands in the log already; empty for what must not be emitted.
        """
        if event.owner != self.service:
            raise WrongOwner(f"{event.type} belongs to {event.owner}, not to {self.service}")
        if self.replay is not None:
            found = self.replay.find(event, self.cause)
            if found is not None:
                return found
        sequence = self.streams.emit(event.feedback_id) if event.topic == EVENTS else None
        ce_id = new_id()
        headers = headers_for(
            event, ce_id=ce_id, source=self.service, sequence=sequence, cause=self.cause
        )
        body = None if event.tombstone else to_json(event, exclude_none=True)
        self._outbox.append((ce_id, event.topic, event.key, sequence, _text(headers), body))
        self.news.add(event.type)
        return ce_id

    def publish(
        self, topic: str, *, key: str | None, body: bytes | None, headers: dict[str, str]
    ) -> None:
        """Send raw bytes to `topic` when the transaction commits (for refused messages)."""
        self._outbox.append((new_id(), topic, key, None, _text(headers), body))
        self.news.add(topic)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` once the commit is durable; never when it is not.

        One that raises is logged: what is committed is answered, whatever is made of it here.
        Nothing is called for what is replayed: it was, when it happened.
        """
        if self.replay is None:
            self._after.append(call)

    async def flush(self) -> None:
        """Write everything held in memory; the commit follows at the entry point."""
        for cache in self._caches.values():
            await cache.flush()
        if self._session is not None:
            await self._session.flush()
        for rows in self._buffers.values():
            await rows.delete_rows()
        writes = self.streams.take_writes()
        # Tables in one order, whatever was touched first: the statement is then a known one.
        held: list[RowBuffer[Any] | CounterDeltas] = [
            *self._buffers.values(),
            *self._counters.values(),
        ]
        for part in sorted(held, key=lambda h: h.table):
            writes += part.take_writes()
        if self._outbox:
            columns = [list(c) for c in zip(*self._outbox, strict=True)]
            writes.append(Statement(_EMIT, columns))
            self._outbox.clear()
        await write(self.fetch, writes)

    def _committed(self) -> None:
        for call in self._after:
            try:
                call()
            except Exception as error:
                # Too late to fail: the others have a right to be called.
                log.error(
                    "call after a commit failed",
                    service=self.service,
                    error=type(error).__name__,
                    where=location_of(error),
                )


@asynccontextmanager
async def transaction(
    service: str,
    engine: AsyncEngine,
    clock: Clock,
    on_news: Callable[[Set[str]], None],
    deps: Any = None,
    sealer: Sealer = NO_KEY,
) -> AsyncIterator[Transaction]:
    """Open a unit of work; commit when the block ends well, roll back when it does not.

    `engine` is a `driven` one: the driver begins and commits, which costs half of what SQLAlchemy
    pays for it. `on_news` is called with the `news` of a commit that has some, to wake the relay.
    """
    async with borrowed(engine) as connection:
        tx = Transaction(service, connection, clock, deps, sealer)
        driver, begun = driver_of(connection), False
        try:
            async with driver.transaction():
                begun = True
                yield tx
                await tx.flush()
        except asyncpg.InternalClientError:
            await connection.invalidate()
            raise
        finally:
            # The pool sees nothing of this; it must not get back what is of no use to the next.
            # A BEGIN that was cut off may be carried out all the same, in a moment.
            if not begun or driver.is_closed() or driver.is_in_transaction():
                await connection.invalidate()
        if tx.news:
            on_news(tx.news)
        tx._committed()


def _text(headers: dict[str, str]) -> str:
    return to_json(headers).decode()


def ids_of(records: Iterable[Record]) -> list[str]:
    """The cases these records belong to, each once, in order of appearance."""
    return list(dict.fromkeys(r.feedback_id for r in records if r.feedback_id))
