"""Bringing a database that is older than the log up to it; see the README, "When a database…".

The service does not run. Its own events are read again for the first and only time: they are put
back into its outbox, with the numbers they have, and what its database has lost of them is made
again by `Subscription.own`. What it had read is read again, in between, in the order of the log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic_core import to_json

from shared.contracts import DIRECTORY, EVENTS, PRIVATE
from shared.messaging.brokers import client_options
from shared.messaging.envelope import Record, record_of
from shared.messaging.offsets import ends_of
from shared.messaging.processing import Processor
from shared.messaging.replay import CauseClock, Replay
from shared.messaging.transaction import Transaction, ids_of

if TYPE_CHECKING:
    from shared.service import Service

Offsets = Mapping[TopicPartition, int]
_TOPICS = (EVENTS, PRIVATE, DIRECTORY)
_AT_ONCE = 200
_WRITTEN = """
SELECT topic, partition, "offset" FROM log_ends
WHERE generation = (SELECT generation FROM log_state)
"""
# Rows that wait in the backup were published after it; the others are new to this database.
_PUT_BACK = """
WITH put_back AS (
  INSERT INTO outbox AS o (ce_id, topic, key, seq, headers, body, created_at, published_at,
                           partition, "offset", generation)
  SELECT r.*, (SELECT generation FROM log_state)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::jsonb[], $6::bytea[],
              $7::timestamptz[], $7::timestamptz[], $8::int[], $9::bigint[]) AS r
  ON CONFLICT (ce_id) DO UPDATE
    SET published_at = EXCLUDED.published_at, partition = EXCLUDED.partition,
        "offset" = EXCLUDED."offset", generation = EXCLUDED.generation, refused = NULL
    WHERE o.published_at IS NULL
  RETURNING o.topic, o.partition, o."offset", o.generation
)
INSERT INTO log_ends (generation, topic, partition, "offset")
SELECT generation, topic, partition, max("offset") FROM put_back GROUP BY 1, 2, 3
ON CONFLICT (generation, topic, partition)
DO UPDATE SET "offset" = greatest(log_ends."offset", EXCLUDED."offset")
"""


class LogDisagrees(RuntimeError):
    """The log has other events under numbers that this database has given too."""


@dataclass
class Recollection:
    """What became of one service."""

    service: str
    events: int = 0
    """Own events that the database had lost."""
    cases: set[str] = field(default_factory=set)
    """Which cases they are about."""
    read: int = 0
    """Events of others that were read again."""
    missing: dict[str, set[str]] = field(default_factory=dict)
    """What cannot be made again → of which cases or accounts."""
    next: dict[TopicPartition, int] = field(default_factory=dict)
    """Where its consumer goes on."""


async def recollect(
    service: Service,
    read: Offsets,
    taken: Offsets | None,
    *,
    report: Callable[[str], None] = lambda _: None,
) -> Recollection:
    """Bring the database of `service` up to the log. Repeating it changes nothing.

    `read` is where its consumer stood when the database was like this, or before. `taken` is how
    far it came before the database was lost; None where all of the log has to be taken for read.
    What is behind that, and no event of the service was caused by, it will read when it runs.
    """
    return await _Recollecting(service, read, taken, report).run()


class _Recollecting:
    def __init__(
        self,
        service: Service,
        read: Offsets,
        taken: Offsets | None,
        report: Callable[[str], None],
    ) -> None:
        self._service, self._read, self._given, self._report = service, read, taken, report
        self._subscription = service.subscription
        self._replay = Replay(service.name)
        self._done = Recollection(service.name, missing=self._replay.missing)
        self._processor = Processor(
            service.name, service.group, service.subscription, self._transaction
        )
        self._ends: dict[TopicPartition, int] = {}
        self._taken: dict[TopicPartition, int] = {}
        self._written: dict[TopicPartition, int] = {}

    async def run(self) -> Recollection:
        self._ends = await ends_of(self._service.runtime.kafka, _TOPICS)
        async with self._service.transaction() as tx:
            self._written = {
                TopicPartition(t, p): offset for t, p, offset in await tx.fetch(_WRITTEN)
            }
        given = self._ends if self._given is None else self._given
        self._taken = {
            tp: min(given.get(tp, 0), end) if tp.topic == EVENTS else end
            for tp, end in self._ends.items()
        }
        await self._survey()
        for topic in _TOPICS:
            async for records in self._records(topic):
                for own, run in groupby(records, self._is_own):
                    await (self._put_back if own else self._read_again)(list(run))
        self._done.next = {
            tp: offset
            for tp, offset in self._taken.items()
            if tp.topic in self._subscription.topics
        }
        return self._done

    async def _survey(self) -> None:
        """Note its own events, and how far it had read for certain: each names its cause."""
        causes: dict[str, int] = {}
        async for records in self._records(EVENTS):
            for record in records:
                tp = TopicPartition(record.topic, record.partition)
                if self._is_own(record):
                    self._replay.note(record)
                    cause = causes.get(record.headers.get("ce_causationid", ""), -1)
                    self._taken[tp] = max(self._taken[tp], cause + 1)
                elif record.offset >= self._taken[tp] and record.ce_id is not None:
                    causes[record.ce_id] = record.offset

    def _is_own(self, record: Record) -> bool:
        return record.source == self._service.name and record.refused is None

    def _start(self, tp: TopicPartition) -> int:
        if tp.topic == EVENTS:
            return self._read.get(tp, 0)
        # Private entries are states, of which the newest wins: all of them are read again.
        wanted = tp.topic in self._subscription.topics
        return 0 if wanted else self._written.get(tp, -1) + 1

    async def _records(self, topic: str) -> AsyncIterator[list[Record]]:
        """The topic from where it has to be read to where it ended at first, piece by piece."""
        ends = {tp: end for tp, end in self._ends.items() if tp.topic == topic}
        starts = {tp: min(self._start(tp), end) for tp, end in ends.items()}
        async for records in read_between(self._service.runtime.kafka, starts, ends):
            yield records

    async def _read_again(self, records: Sequence[Record]) -> None:
        """What others emitted, by its usual way."""
        wanted = [
            r
            for r in records
            if self._subscription.wants(r.topic, r.type)
            and r.offset < self._taken[TopicPartition(r.topic, r.partition)]
            and self._subscription.is_concerned(r)
        ]
        if not wanted:
            return
        outcome = await self._processor.process(wanted)
        if outcome.error is not None:
            raise outcome.error
        if outcome.stop is not None:
            raise LogDisagrees(f"{self._service.name}: {outcome.stop}")
        self._done.read += len(wanted)

    async def _put_back(self, records: Sequence[Record]) -> None:
        """Own events: into the outbox, and what was lost of them into the tables."""
        async with self._transaction() as tx:
            rows = await tx.fetch(
                "SELECT ce_id FROM outbox WHERE ce_id = ANY($1::text[])",
                [r.ce_id for r in records],
            )
            here = {ce_id for (ce_id,) in rows}
            # Of compacted topics older entries were deleted here, and still stand there.
            news = {
                r.ce_id: r
                for r in records
                if r.ce_id not in here
                and (r.topic == EVENTS or r.offset > self._written.get(_place(r), -1))
            }
            cases = ids_of(r for r in news.values() if r.topic != DIRECTORY)
            await tx.lock(*cases)
            await self._subscription.prepare(tx, cases)
            for record in news.values():
                self._number(tx, record)
                await self._subscription.recollect(tx, record)
            waiting = {r.ce_id: r for r in records if r.ce_id in here}
            await _to_outbox(tx, (waiting | news).values())
        self._done.events += len(news)
        self._done.cases.update(cases)

    def _number(self, tx: Transaction, record: Record) -> None:
        case, number = record.feedback_id, record.sequence
        if case is None or number is None:
            return
        if number <= tx.streams.seq(case):
            raise LogDisagrees(
                f"{self._service.name}: number {number} of case {case} is another event in the log "
                "than here. The service has run on this database since it was restored: restore "
                "the backup again, and run nothing before that is complete"
            )
        tx.streams.emitted(case, number)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._service.transaction() as tx:
            tx.replay = self._replay
            tx.clock = CauseClock(tx, tx.clock)
            yield tx


def _place(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


async def _to_outbox(tx: Transaction, records: Iterable[Record]) -> None:
    columns: list[list[object]] = [
        [
            r.ce_id,
            r.topic,
            None if r.key is None else r.key.decode(),
            r.sequence,
            to_json(r.headers).decode(),
            r.body,
            r.time or datetime.now(UTC),
            r.partition,
            r.offset,
        ]
        for r in records
    ]
    if columns:
        await tx.fetch(_PUT_BACK, *map(list, zip(*columns, strict=True)))


async def read_between(kafka: str, starts: Offsets, ends: Offsets) -> AsyncIterator[list[Record]]:
    """What stands there, in order within each partition, at most so many records at once."""
    partitions = [tp for tp, end in ends.items() if starts[tp] < end]
    if not partitions:
        return
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        request_timeout_ms=10_000,
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        for tp in partitions:
            consumer.seek(tp, starts[tp])
        while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            batches = await consumer.getmany(*behind, timeout_ms=500, max_records=_AT_ONCE)
            for tp, batch in batches.items():
                yield [record_of(raw) for raw in batch if raw.offset < ends[tp]]
    finally:
        await consumer.stop()
