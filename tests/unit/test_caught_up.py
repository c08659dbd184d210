"""Whether an end that is remembered is still the end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.contracts import EVENTS
from shared.messaging import caught_up as module
from shared.messaging.caught_up import HANG, FetchWatch

ONE, TWO = TopicPartition(EVENTS, 1), TopicPartition(EVENTS, 2)


class Consumer:
    """As much of a Kafka consumer as is asked: when each partition was last answered for."""

    def __init__(self) -> None:
        self.answered: dict[TopicPartition, int | None] = {ONE: None, TWO: None}

    def assignment(self) -> set[TopicPartition]:
        return set(self.answered)

    def last_poll_timestamp(self, tp: TopicPartition) -> int | None:
        return self.answered[tp]

    def answer(self, at: int, *tps: TopicPartition) -> None:
        self.answered |= dict.fromkeys(tps or self.answered, at)


class Time:
    """A clock that goes when it is told to; the beat of the event loop is the caller's."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    loop = SimpleNamespace(call_later=lambda *_: SimpleNamespace(cancel=lambda: None))
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    return clock


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
def watch(time: Time, consumer: Any) -> FetchWatch:
    made = FetchWatch(consumer)
    made.assigned({ONE, TWO})
    return made


def _settle(watch: FetchWatch, consumer: Consumer) -> None:
    for at in (1, 2):
        consumer.answer(at)
        watch.fresh()
    assert watch.fresh() == {ONE, TWO}


def test_an_end_is_known_after_a_request_made_since(watch: FetchWatch, consumer: Consumer) -> None:
    assert watch.fresh() == set()
    consumer.answer(1)
    assert watch.fresh() == set()
    consumer.answer(2, TWO)
    assert watch.fresh() == {TWO}


def test_after_a_hang_the_answer_that_lay_in_the_socket_counts_for_nothing(
    watch: FetchWatch, consumer: Consumer, time: Time
) -> None:
    _settle(watch, consumer)
    time.now += HANG + 0.1
    assert watch.fresh() == set()
    consumer.answer(3)
    assert watch.fresh() == set()
    consumer.answer(4)
    assert watch.fresh() == {ONE, TWO}


def test_a_short_pause_is_no_hang(watch: FetchWatch, consumer: Consumer, time: Time) -> None:
    _settle(watch, consumer)
    time.now += HANG - 0.1
    assert watch.fresh() == {ONE, TWO}


def test_a_rebalance_puts_every_end_in_doubt(watch: FetchWatch, consumer: Consumer) -> None:
    _settle(watch, consumer)
    consumer.answered = {TWO: None}
    watch.assigned({TWO})
    assert watch.fresh() == set()
    for at in (5, 6):
        consumer.answer(at)
        watch.fresh()
    assert watch.fresh() == {TWO}
