"""Records that cannot even be decoded: a codec that is not installed, a batch that is damaged.

One such batch must stop neither the other partitions nor, where strangers write, its own. The
client says only that something failed, so each partition is read by itself until it is known which.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    KafkaError,
    RecordTooLargeError,
    UnsupportedCodecError,
)

log = structlog.get_logger()

TRIES = 3
"""Fetches of the same batch before it is taken for damaged where it lies, not on its way."""
CALM = 10.0
"""Seconds without an error after which a partition is read like any other again."""
STUCK = 30.0
"""Seconds until a batch that nobody may step over is tried again."""
_LOOK = 0.05

Batches = Mapping[TopicPartition, Sequence[ConsumerRecord]]
StepOver = Callable[[TopicPartition, int, str], Awaitable[int | None]]


def is_unreadable(error: Exception) -> bool:
    """True for an error of decoding, not of the broker, the group, or a stop."""
    if isinstance(error, UnsupportedCodecError | CorruptRecordException | RecordTooLargeError):
        return True
    return not isinstance(error, ConsumerStoppedError | KafkaError | OSError | TimeoutError)


@dataclass
class _Suspect:
    """A partition in which something was unreadable: it is read one record at a time."""

    failed_at: float
    offset: int = -1
    tries: int = 0
    stuck: str | None = None


class CarefulReader:
    """Reads partition by partition while one of them has what cannot be read.

    `step_over` is given the partition, the offset and what is wrong; it gives the offset after the
    unreadable batch, or None where nobody may step over it. Then that partition stands still.
    """

    def __init__(self, step_over: StepOver) -> None:
        self._step_over = step_over
        self._suspects: dict[TopicPartition, _Suspect] = {}
        self._until = 0.0

    @property
    def active(self) -> bool:
        """True while partitions have to be read one by one."""
        return bool(self._suspects) or time.monotonic() < self._until

    def begin(self) -> None:
        """Something was unreadable, in whatever partition."""
        self._until = time.monotonic() + CALM

    def forget(self) -> None:
        """The partitions may be others now."""
        self._suspects.clear()

    def reasons(self) -> list[str]:
        """What stands still, and why."""
        return [
            f"consumer: cannot read {tp.topic}-{tp.partition} at offset {s.offset} ({s.stuck})"
            for tp, s in self._suspects.items()
            if s.stuck is not None
        ]

    async def read(self, consumer: AIOKafkaConsumer, max_records: int) -> Batches:
        """What the partitions have at hand, at most `max_records`, as many of each."""
        self._let_go(consumer)
        batches: dict[TopicPartition, list[ConsumerRecord]] = {}
        reading = consumer.assignment() - consumer.paused()
        for tp in reading:
            most = 1 if tp in self._suspects else max(1, max_records // len(reading))
            try:
                batches |= await consumer.getmany(tp, timeout_ms=0, max_records=most)
            except Exception as error:
                if not is_unreadable(error):
                    raise
                await self._failed(consumer, tp, error)
        if not batches:
            await asyncio.sleep(_LOOK)
        return batches

    def _let_go(self, consumer: AIOKafkaConsumer) -> None:
        now = time.monotonic()
        for tp, suspect in list(self._suspects.items()):
            if suspect.stuck is None and now - suspect.failed_at > CALM:
                del self._suspects[tp]
            elif suspect.stuck is not None and now - suspect.failed_at > STUCK:
                suspect.failed_at = now
                consumer.resume(tp)

    async def _failed(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, error: Exception
    ) -> None:
        now = time.monotonic()
        if (suspect := self._suspects.get(tp)) is None:
            # The error may lie far behind the records that came with it.
            self._suspects[tp] = _Suspect(failed_at=now)
            return
        offset = await consumer.position(tp)
        suspect.failed_at = now
        suspect.offset, suspect.tries = offset, suspect.tries + 1 if suspect.offset == offset else 1
        if suspect.tries < TRIES:
            return
        after = await self._step_over(tp, offset, type(error).__name__)
        log.error(
            "unreadable batch",
            topic=tp.topic,
            partition=tp.partition,
            offset=offset,
            error=type(error).__name__,
            stepped_over=after is not None,
        )
        if after is None:
            suspect.stuck = type(error).__name__
            consumer.pause(tp)
        else:
            suspect.stuck = None
            consumer.seek(tp, after)
