"""From the log into a service: a poll is one transaction, and offsets follow the commit.

FastStream carries the messages; what happens to them is decided here. Facts are entered in the
inbox first, their cases are locked in id order, handlers run in log order, and everything is
written and committed once. A batch that fails is taken again fact by fact, so that one bad fact
is buried alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.messaging.dead_letters import bury
from shared.messaging.envelope import InvalidMessage, Record, record_of, type_of
from shared.messaging.failures import Backoff, is_transient
from shared.messaging.intake import Intake
from shared.messaging.kill_points import kill_point
from shared.messaging.transaction import Transaction

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger()

COMMIT_EVERY = 0.2
"""Seconds between offset commits: a commit costs more than a small poll."""
MAX_RECORDS = 500
BURIED_IN_A_ROW = 20
"""After so many dead letters without one good fact the consumer stops and says so."""


@dataclass
class ConsumerHealth:
    """What the outside may know of a consumer."""

    assigned: bool = False
    failing_since: float | None = None
    error: str | None = None
    buried_in_a_row: int = 0
    stopped: bool = False
    lag: int = 0
    taken_in: int = 0
    polled_at: float = field(default_factory=time.monotonic)


class _LogSubscriber(BatchSubscriber):
    """FastStream's batch subscriber, but an empty poll returns at once."""

    __slots__ = ()

    async def get_msg(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        owner: LogConsumer = self._owner  # type: ignore[attr-defined]
        return await owner.poll(consumer)


class LogConsumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One service's subscriber to the log."""

    def __init__(
        self,
        service: str,
        *,
        broker: KafkaBroker,
        intake: Intake,
        open_transaction: Callable[[], AbstractAsyncContextManager[Transaction]],
        group: str,
        instance: str,
        max_records: int = MAX_RECORDS,
    ) -> None:
        self.service = service
        self.intake = intake
        self.group = group
        self.health = ConsumerHealth()
        self._open = open_transaction
        self._max_records = max_records
        self._done: dict[TopicPartition, int] = {}
        self._last: list[ConsumerRecord] = []
        """The last record of each partition in the present poll, wanted or not."""
        self._committed_at = 0.0
        self._resume_at = 0.0
        self._next_poll_at = 0.0
        self._backoff = Backoff()
        self._consumer: AIOKafkaConsumer | None = None
        self._empty_handed_since: float | None = None
        self._lock = asyncio.Lock()
        self.subscriber = broker.subscriber(
            *intake.topics,
            batch=True,
            group_id=group,
            group_instance_id=instance,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=500,
            listener=self,
            parser=_parse,
            decoder=_decode,
            title=f"{service}.log",
        )
        # The factory has no seam for a class of one's own; the layout is the same.
        self.subscriber.__class__ = _owned_by(self)
        self.subscriber(self._consume)

    # -- polling ---------------------------------------------------------------------------

    async def poll(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        """The next records somebody handles; commits offsets that are due on the way."""
        self._consumer = consumer
        self.health.polled_at = time.monotonic()
        self.health.assigned = bool(consumer.assignment())
        if self.health.stopped:
            await asyncio.sleep(1)
            return ()
        wait = self._resume_at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(min(wait, 1))
            return ()
        if self._done and time.monotonic() - self._committed_at >= COMMIT_EVERY:
            await self._commit_offsets()
        if (pause := self._next_poll_at - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        batches = await consumer.getmany(
            timeout_ms=200 if self._done else 500, max_records=self._max_records
        )
        if not batches:
            await self._commit_offsets()
            return ()
        records = tuple(chain.from_iterable(batches.values()))
        wanted = tuple(r for r in records if self.intake.wants(r.topic, type_of(r)))
        if not wanted:
            self._mark_done(records)
            return ()
        if len(records) < self._max_records // 10:
            self._next_poll_at = time.monotonic() + self.intake.pace
        # What is passed over is done once everything before it is done.
        last = {(r.topic, r.partition): r for r in records}
        handled = {(r.topic, r.partition) for r in wanted}
        self._mark_done([r for place, r in last.items() if place not in handled])
        self._last = [r for place, r in last.items() if place in handled]
        return wanted

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Hand over what is finished; what is under way will be recognised by the inbox."""
        self._empty_handed_since = None
        await self._commit_offsets()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin where the group left off."""
        self._done = {tp: o for tp, o in self._done.items() if tp in assigned}
        self.health.assigned = bool(assigned)
        self._empty_handed_since = None if assigned else time.monotonic()

    @property
    def empty_handed_for(self) -> float:
        """Seconds since it joined its group and was given nothing to read; 0 where it reads."""
        since = self._empty_handed_since
        return 0.0 if since is None else time.monotonic() - since

    async def finish(self) -> None:
        """Commit what is done; called before the subscriber stops."""
        async with self._lock:
            await self._commit_offsets()

    def _mark_done(self, records: Sequence[ConsumerRecord]) -> None:
        for r in records:
            tp = TopicPartition(r.topic, r.partition)
            if self._done.get(tp, -1) <= r.offset:
                self._done[tp] = r.offset + 1

    async def _commit_offsets(self) -> None:
        self._committed_at = time.monotonic()
        consumer, done = self._consumer, self._done
        if consumer is None or not done:
            return
        self._done = {}
        assigned = consumer.assignment()
        mine = {tp: offset for tp, offset in done.items() if tp in assigned}
        if not mine:
            return
        try:
            await consumer.commit(mine)
            kill_point("consumer.after_offset_commit")
        except (KafkaError, IllegalStateError) as error:
            # Not lost: the next owner reads these facts again and finds them in its inbox.
            log.info("offsets not committed", service=self.service, error=type(error).__name__)
            for tp, offset in mine.items():
                self._done.setdefault(tp, offset)

    # -- taking in -------------------------------------------------------------------------

    async def _consume(self, raw: Any) -> None:
        records = [record_of(r, foreign=r.topic in self.intake.raw) for r in raw]
        async with self._lock:
            try:
                await self._take_in_batch(records)
            except Exception as error:
                # The failure policy: the only place that decides what an error means.
                if is_transient(error):
                    self._stand_still(raw, error)
                    return
                if not await self._one_by_one(raw, records):
                    return
            else:
                self.health.buried_in_a_row = 0
            self._progress(len(records))
            self._mark_done(self._last)

    async def _take_in_batch(self, records: list[Record]) -> None:
        async with self._open() as tx:
            if self.intake.guard is not None:
                await self.intake.guard(tx, self.group)
            await self.intake.take_in(tx, records)
            kill_point("consumer.before_commit")
        kill_point("consumer.after_commit")

    async def _one_by_one(self, raw: tuple[ConsumerRecord, ...], records: list[Record]) -> bool:
        """Take the records singly and bury the bad ones; False when it must wait after all."""
        for n, record in enumerate(records):
            try:
                await self._take_in_batch([record])
                self.health.buried_in_a_row = 0
            except Exception as error:
                if is_transient(error):
                    self._stand_still(raw[n:], error)
                    return False
                if not await self._bury(record, error):
                    self._stand_still(raw[n:], error)
                    return False
            self._mark_done(raw[n : n + 1])
        return True

    async def _bury(self, record: Record, error: Exception) -> bool:
        reason = str(error) if isinstance(error, InvalidMessage) else f"{type(error).__name__}"
        log.error(
            "fact refused",
            service=self.service,
            feedback_id=record.feedback_id,
            ce_id=record.ce_id,
            ce_type=record.type,
            error=reason,
            where=_where(error),
        )
        try:
            async with self._open() as tx:
                if self.intake.guard is not None:
                    await self.intake.guard(tx, self.group)
                if record.ce_id:
                    await tx.take_in([record.ce_id])
                if record.feedback_id:
                    await tx.lock(record.feedback_id)
                await bury(tx, record, f"{reason} {_where(error)}".strip())
        except Exception as failure:
            if is_transient(failure):
                return False
            raise
        self.health.buried_in_a_row += 1
        if self.health.buried_in_a_row > BURIED_IN_A_ROW:
            self.health.stopped = True
            self.health.error = f"{self.health.buried_in_a_row} facts refused in a row"
        return True

    def _stand_still(self, raw: Sequence[ConsumerRecord], error: Exception) -> None:
        """Seek back to the first record not taken in, and wait before the next try."""
        wait = self._backoff.next()
        self._resume_at = time.monotonic() + wait
        if self.health.failing_since is None:
            self.health.failing_since = time.monotonic()
        self.health.error = type(error).__name__
        log.warning("consumer waits", service=self.service, seconds=wait, error=str(error)[:200])
        earliest: dict[TopicPartition, int] = {}
        for r in raw:
            tp = TopicPartition(r.topic, r.partition)
            earliest[tp] = min(earliest.get(tp, r.offset), r.offset)
        assert self._consumer is not None
        assigned = self._consumer.assignment()
        for tp, offset in earliest.items():
            if tp in assigned:
                self._consumer.seek(tp, offset)

    def _progress(self, records: int) -> None:
        self._backoff.reset()
        self.health.failing_since = None
        if not self.health.stopped:
            self.health.error = None
        self.health.taken_in += records

    def measure_lag(self) -> int:
        """Facts known to wait in the log for this consumer."""
        consumer = self._consumer
        if consumer is None:
            return 0
        lag = 0
        for tp in consumer.assignment():
            high = consumer.highwater(tp)
            if high is None:
                continue
            state = consumer._subscription.subscription.assignment.state_value(tp)
            if state is not None and state.has_valid_position:
                lag += max(0, high - state.position)
        self.health.lag = lag
        return lag


async def _parse(raw: Any) -> KafkaMessage:
    """Leave the records as they are: a header that is not UTF-8 must not lose a batch."""
    return KafkaMessage(raw_message=raw, body=b"", headers={}, consumer=FAKE_CONSUMER)


async def _decode(message: Any) -> Any:
    return message.raw_message


def _owned_by(owner: LogConsumer) -> type[BatchSubscriber]:
    """A subscriber class of this one consumer: slots leave no room for an attribute."""
    return type("LogSubscriber", (_LogSubscriber,), {"__slots__": (), "_owner": owner})


def log_broker(kafka: str) -> KafkaBroker:
    """A FastStream broker that only reads: what is told goes out through the relay."""
    return KafkaBroker(
        kafka,
        consumer_only=True,
        apply_types=False,
        logger=None,
        graceful_timeout=8,
        request_timeout_ms=10_000,
        retry_backoff_ms=500,
        allow_auto_create_topics=False,
    )


def _where(error: BaseException) -> str:
    """File and line where it went wrong; the message may hold personal data, the place not."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
