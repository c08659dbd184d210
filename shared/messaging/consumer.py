"""From the log into a service: a poll is one transaction, and offsets follow the commit.

FastStream's subscriber joins the group and owns the client; the loop that reads is here, since a
handler of FastStream's would be given batches only, and never what could not be read. What becomes
of a batch is decided in `processing`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError

from shared.contracts import EVENTS
from shared.messaging.caught_up import FetchWatch, end_of
from shared.messaging.envelope import Record, record_of, type_and_source_of
from shared.messaging.failures import Backoff
from shared.messaging.foreground import Foreground
from shared.messaging.health import ConsumerHealth
from shared.messaging.kafka_seams import client_of, fetch_batch
from shared.messaging.kill_points import kill_point
from shared.messaging.pace import Pace
from shared.messaging.processing import Processor
from shared.messaging.refusals import reason_of
from shared.messaging.subscriber import new_subscriber
from shared.messaging.subscription import Subscription
from shared.messaging.transaction import Transaction
from shared.messaging.unreadable import Batches, CarefulReader, is_unreadable
from shared.observability.metrics import UNREADABLE
from shared.tasks import end

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger()

COMMIT_EVERY = 3.0
"""Seconds between offset commits: a commit costs as much as a small poll, and what comes again
after a kill is known by its number."""
MAX_RECORDS = 500
LOOK_LATE = 0.8
"""The part of its time after which a service that gathers looks for more."""
GRACE = 8.0
"""Seconds a batch under way may still take when the consumer stops."""


class LogConsumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One service's reader of the log.

    `on_stop` is called with a reason when it has stopped for good: so many events were refused in
    a row that the fault is ours.
    """

    def __init__(
        self,
        service: str,
        *,
        kafka: str,
        subscription: Subscription,
        open_transaction: Callable[[], AbstractAsyncContextManager[Transaction]],
        group: str,
        instance: str,
        on_stop: Callable[[str], None] = lambda reason: None,
        max_records: int = MAX_RECORDS,
        foreground: Foreground | None = None,
    ) -> None:
        self.service = service
        self.subscription = subscription
        self.group = group
        self.health = ConsumerHealth()
        self._foreground = front = foreground or Foreground()
        self._processor = Processor(service, group, subscription, open_transaction, front)
        self._careful = CarefulReader(self._step_over)
        self._on_stop = on_stop
        self._max_records = max_records
        # Next offset to process, and next offset as the group knows it. Nothing in between is
        # under way: both are written when a batch is over.
        self._position: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._resume_at = 0.0
        self._pace = Pace(subscription.urgent_types)
        self._backoff = Backoff()
        self._consumer: AIOKafkaConsumer | None = None
        self._fetches: FetchWatch | None = None
        self._empty_handed_since: float | None = None
        self._processing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._broker, self._subscriber = new_subscriber(
            service, kafka, subscription, group=group, instance=instance, listener=self
        )

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the group and read in the background; raises what database or broker answers."""
        await self._processor.heal()
        try:
            await self._broker.start()
        except BaseException:
            with contextlib.suppress(Exception):
                await self._broker.stop()
            raise
        self._consumer = client_of(self._subscriber)
        self._foreground.listeners.append(self._pace.expect)
        self.health.polled_at = time.monotonic()
        self._task = asyncio.create_task(self._run(), name=f"{self.service}.consumer")

    async def stop(self) -> None:
        """Let the batch under way come to its end, commit the offsets, leave the group."""
        with contextlib.suppress(ValueError):
            self._foreground.listeners.remove(self._pace.expect)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE), self._processing:
                await end([self._task])
        await end([self._task])
        await self._commit_offsets()
        if self._fetches is not None:
            self._fetches.stop()
        self._consumer, self._fetches = None, None
        await self._broker.stop()

    async def _run(self) -> None:
        assert self._consumer is not None
        while not self.health.stopped:
            try:
                await self.poll(self._consumer)
            except ConsumerStoppedError:
                return
            except Exception as error:
                # Nothing is lost, since nothing was marked as processed; readiness says so.
                self._wait_after(error)
                await self._rewind(self._consumer)

    # -- reading ---------------------------------------------------------------------------

    async def poll(self, consumer: AIOKafkaConsumer) -> None:
        """Process the next records; commits offsets that are due on the way."""
        now = self.health.polled_at = time.monotonic()
        self.health.assigned = bool(consumer.assignment())
        if now < self._resume_at:
            await asyncio.sleep(min(self._resume_at - now, 1))
            return
        if now - self._committed_at >= COMMIT_EVERY:
            await self._commit_offsets()
        await self._pace.rest()
        if len(self._position) < len(consumer.assignment()):
            await self._learn_positions(consumer)
        if batches := await self._read(consumer):
            gathered = await self._gather(consumer, batches)
            async with self._foreground.turn(patient=self.subscription.is_patient):
                await self._process(*gathered)
        else:
            await self._learn_positions(consumer)

    async def _gather(
        self, consumer: AIOKafkaConsumer, batches: Batches
    ) -> tuple[Batches, list[Record]]:
        """`batches` with what comes while they can wait, and what of it is to be processed.

        Positions stay where they are, so that what was gathered does not count as read, and is read
        again when a later fetch fails.
        """
        gathered = {tp: list(batch) for tp, batch in batches.items()}
        records = self._concerning(gathered)
        linger = 0.0 if self.subscription.linger_at_broker else self.subscription.linger
        if records and self.subscription.is_patient and self._is_small(gathered):
            # Each look asks the broker again: where nothing can be urgent, looking late is enough.
            await asyncio.sleep(LOOK_LATE * linger)
            await self._foreground.give_way(self._foreground.patience())
            linger -= LOOK_LATE * linger
        end = time.monotonic() + linger
        while records and self._is_small(gathered) and self.subscription.can_wait(records):
            if (left := end - time.monotonic()) <= 0 or self._careful.active:
                break
            more = await self._read(consumer, left)
            if self._careful.active:
                # It went back to what was processed: all of this comes again.
                return {}, []
            for tp, batch in more.items():
                gathered.setdefault(tp, []).extend(batch)
            records += self._concerning(more)
        return gathered, records

    def _concerning(self, batches: Batches) -> list[Record]:
        wanted = (r for r in chain.from_iterable(batches.values()) if self._wanted(r))
        records = (record_of(r, foreign=r.topic in self.subscription.raw) for r in wanted)
        return [r for r in records if self.subscription.is_concerned(r)]

    def _is_small(self, batches: Batches) -> bool:
        return sum(map(len, batches.values())) < self._max_records // 10

    async def _read(self, consumer: AIOKafkaConsumer, wait: float = 0.5) -> Batches:
        if self._careful.active:
            return await self._careful.read(consumer, self._max_records)
        try:
            read: Batches = await consumer.getmany(
                timeout_ms=math.ceil(1_000 * wait), max_records=self._max_records
            )
        except Exception as error:
            if not is_unreadable(error):
                raise
            log.warning("unreadable", service=self.service, error=type(error).__name__)
            self._careful.begin()
            await self._rewind(consumer)
            return {}
        return read

    async def _step_over(self, tp: TopicPartition, offset: int, error: str) -> int | None:
        """Hand on a batch that cannot be decoded as it is, where the service has a way for it."""
        handler = self.subscription.unreadable.get(tp.topic)
        if handler is None or self._consumer is None:
            return None
        batch = await fetch_batch(self._consumer, tp, offset)
        reason = f"cannot be read ({error}, compression {batch.codec})"
        record = Record(
            topic=tp.topic,
            partition=tp.partition,
            offset=offset,
            key=None,
            headers={"reason": reason, "source-next-offset": str(batch.next)},
            body=batch.raw,
            foreign=True,
        )
        await self._processor.hand_on(record, handler)
        UNREADABLE.labels(self.service).inc()
        self._position[tp] = batch.next
        return batch.next

    async def _process(self, batches: Batches, records: list[Record]) -> None:
        self._pace.polled((r.type for r in records), small=self._is_small(batches))
        async with self._processing:
            outcome = await self._processor.process(records)
            # What is passed over is done with once everything before it is.
            reached = {tp: batch[-1].offset + 1 for tp, batch in batches.items()}
            for r in reversed(records[outcome.done :]):
                reached[TopicPartition(r.topic, r.partition)] = r.offset
            self._position |= reached
        self.health.processed += outcome.done
        if outcome.stop is not None:
            self.health.stopped, self.health.error = True, outcome.stop
            await self._commit_offsets()
            self._on_stop(outcome.stop)
        elif outcome.error is not None:
            self._wait_after(outcome.error)
            self._seek(reached)
        else:
            self._backoff.reset()
            self.health.failing_since, self.health.error = None, None

    def _wanted(self, record: ConsumerRecord) -> bool:
        event_type, source = type_and_source_of(record)
        return self.subscription.wants(record.topic, event_type, own=source == self.service)

    def _wait_after(self, error: BaseException) -> None:
        """Wait before the next try, longer each time."""
        wait = self._backoff.next()
        self._resume_at = time.monotonic() + wait
        if self.health.failing_since is None:
            self.health.failing_since = time.monotonic()
        self.health.error = reason_of(error)
        log.warning("consumer waits", service=self.service, seconds=wait, error=str(error)[:200])

    def _seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        assert self._consumer is not None
        assigned = self._consumer.assignment()
        for tp, offset in offsets.items():
            if tp in assigned:
                self._consumer.seek(tp, offset)

    async def _rewind(self, consumer: AIOKafkaConsumer) -> None:
        """Back to what was processed: a failed fetch drops what it had from other partitions."""
        with contextlib.suppress(KafkaError, IllegalStateError):
            for tp in consumer.assignment():
                if (offset := self._position.get(tp)) is None:
                    offset = await consumer.committed(tp)
                if offset is None:
                    await consumer.seek_to_beginning(tp)
                else:
                    consumer.seek(tp, offset)

    # -- offsets ---------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Hand over what is finished; what is under way is known again by its sequence."""
        self._empty_handed_since = None
        await self._commit_offsets()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin where the group left off."""
        self._position.clear()
        self._committed.clear()
        self._processor.forget_timeouts()
        self._careful.forget()
        if self._fetches is not None:
            self._fetches.assigned(assigned)
        self.health.assigned = bool(assigned)
        self._empty_handed_since = None if assigned else time.monotonic()

    def reasons(self) -> list[str]:
        """Why it is not ready; empty when it is."""
        return self.health.reasons() + self._careful.reasons()

    @property
    def empty_handed_for(self) -> float:
        """Seconds since it joined its group and was given nothing to read; 0 where it reads."""
        since = self._empty_handed_since
        return 0.0 if since is None else time.monotonic() - since

    def _uncommitted(self) -> dict[TopicPartition, int]:
        known = self._committed
        return {tp: offset for tp, offset in self._position.items() if known.get(tp) != offset}

    async def _commit_offsets(self) -> None:
        self._committed_at = time.monotonic()
        if self._consumer is None or not (due := self._uncommitted()):
            return
        assigned = self._consumer.assignment()
        due = {tp: offset for tp, offset in due.items() if tp in assigned}
        if not due:
            return
        try:
            await self._consumer.commit(due)
            kill_point("consumer.after_offset_commit")
        except (KafkaError, IllegalStateError) as error:
            # Not lost: the next owner reads these events again and knows them.
            log.info("offsets not committed", service=self.service, error=type(error).__name__)
        else:
            self._committed |= due

    # -- how far it is ---------------------------------------------------------------------

    def partitions(self) -> frozenset[int]:
        """The partitions of ``feedback.events`` that this consumer is assigned now."""
        return frozenset(tp.partition for tp in self._events_assigned())

    def caught_up(self) -> frozenset[int]:
        """The partitions of ``feedback.events`` in which nothing is known to wait.

        A partition is in it when it is assigned, every event before its end is processed and
        committed in the database, and that end is no memory: it was shown by the answer to a
        request that was sent after the group last gave the partition to this consumer, and after
        the last time this process stood still for longer than `caught_up.HANG`. After such a gap
        the first answer does not count, since it may have lain in the socket all the while, so
        that partitions come back within some two fetches (1 s where nothing arrives).

        It is an answer about now; between it and the next line an event may arrive as ever. The
        first call begins to watch and answers that nothing is caught up.
        """
        consumer = self._consumer
        if consumer is None:
            return frozenset()
        assigned = self._events_assigned()
        if self._fetches is None:
            self._fetches = FetchWatch(consumer)
            self._fetches.assigned(assigned)
        fresh = self._fetches.fresh()
        return frozenset(
            tp.partition
            for tp in assigned
            if tp in fresh and self._position.get(tp, -1) >= end_of(consumer, tp)
        )

    def positions(self) -> dict[TopicPartition, int]:
        """The next offset to process of each assigned partition; 0 where it is not known yet."""
        if self._consumer is None:
            return {}
        return {tp: self._position.get(tp, 0) for tp in self._consumer.assignment()}

    def measure_lag(self) -> int:
        """Records known to wait in the log for this consumer, as of the last fetch."""
        consumer = self._consumer
        if consumer is None:
            return 0
        self.health.lag = sum(
            max(0, end_of(consumer, tp) - self._position.get(tp, 0)) for tp in consumer.assignment()
        )
        return self.health.lag

    def _events_assigned(self) -> set[TopicPartition]:
        if self._consumer is None:
            return set()
        return {tp for tp in self._consumer.assignment() if tp.topic == EVENTS}

    async def _learn_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Where partitions stand that have brought nothing, or end with what is shown to nobody.

        Only between two batches: then what was fetched and what was processed is the same.
        """
        for tp in consumer.assignment():
            fetched = consumer.last_poll_timestamp(tp) is not None
            if fetched and self._position.get(tp, -1) < end_of(consumer, tp):
                self._position[tp] = self._committed[tp] = await consumer.position(tp)
