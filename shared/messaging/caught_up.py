"""Whether the end of a partition, as a consumer remembers it, is the end as it is now.

A process that hung for seconds finds its lag at 0: that is what the last answer before said. And
the first answer it reads may be older than its waking, since it lay in the socket meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

HANG = 0.5
"""Seconds without a turn of the event loop after which an end that is remembered is not believed.

Shorter ones are no worse than the way of an event from one service to the next."""
_BEAT = 0.1


def end_of(consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
    """The offset up to which the last fetch showed that records may be read; 0 before any."""
    stable = consumer.last_stable_offset(tp)
    return int((consumer.highwater(tp) if stable in (None, -1) else stable) or 0)


class FetchWatch:
    """Counts the answers that each partition has had since its end was last in doubt."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._tps: set[TopicPartition] = set()
        # Answers a partition still needs, and when its last one came (by aiokafka's own clock).
        self._needs: dict[TopicPartition, tuple[int, int | None]] = {}
        self._beat_at = time.monotonic()
        self._beat()

    def assigned(self, tps: Iterable[TopicPartition]) -> None:
        """These partitions, and no others, belong to the consumer from now on."""
        self._tps = set(tps)
        self._doubt()

    def fresh(self) -> set[TopicPartition]:
        """The partitions whose end was shown by the answer to a request made since."""
        self._look()
        return self._tps - self._needs.keys()

    def _doubt(self) -> None:
        # One request may be under way: its answer counts for nothing, the one after does.
        assigned = self._consumer.assignment()
        self._needs = {
            tp: (2, self._consumer.last_poll_timestamp(tp) if tp in assigned else None)
            for tp in self._tps
        }

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._beat_at > HANG:
            self._doubt()
        self._beat_at = now
        if not self._needs:
            return
        assigned = self._consumer.assignment()
        for tp, (needed, seen) in list(self._needs.items()):
            if tp not in assigned:
                continue
            answered = self._consumer.last_poll_timestamp(tp)
            if answered == seen:
                continue
            if needed > 1:
                self._needs[tp] = (needed - 1, answered)
            else:
                del self._needs[tp]

    def _beat(self) -> None:
        """Feel a hang of the process while nobody asks."""
        self._look()
        self._timer = asyncio.get_running_loop().call_later(_BEAT, self._beat)

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
