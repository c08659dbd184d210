"""How often a consumer asks: at once, or after a moment that lets a case's facts come together."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from shared.contracts import EVENTS, Event
from shared.messaging import consumer as module
from shared.messaging.consumer import LogConsumer, log_broker
from shared.messaging.intake import Intake

PLACE = TopicPartition(EVENTS, 0)


class Log:
    """As much of a Kafka consumer as a poll asks of it; every poll brings `size` facts."""

    def __init__(self, size: int) -> None:
        self.size = size

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        return {PLACE: [_fact(n) for n in range(self.size)]} if self.size else {}


def _fact(offset: int) -> ConsumerRecord:
    headers = [("ce_type", b"feedback.received.v1")]
    return SimpleNamespace(topic=EVENTS, partition=0, offset=offset, headers=headers)  # type: ignore[return-value]


async def _ignore(event: Event, tx: Any) -> None:
    return None


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses a consumer made; nobody waits for them here, and the clock stands still."""
    made: list[float] = []

    async def nap(seconds: float) -> None:
        made.append(seconds)

    stub = SimpleNamespace(sleep=nap, Lock=asyncio.Lock)
    monkeypatch.setattr(module, "asyncio", stub)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1_000.0))
    return made


def _consumer(pace: float) -> LogConsumer:
    return LogConsumer(
        "toy",
        broker=log_broker("127.0.0.1:1"),
        intake=Intake({Event: _ignore}, pace=pace),
        open_transaction=lambda: pytest.fail("nothing is taken in here"),
        group="toy",
        instance="1",
        max_records=100,
    )


@pytest.mark.parametrize(
    ("pace", "size", "pauses"),
    [
        (0.0, 1, []),
        (0.5, 1, [0.5]),
        pytest.param(0.5, 0, [], id="nothing came: whatever comes next is wanted at once"),
        pytest.param(0.5, 100, [], id="a full poll: there is more, and no reason to wait"),
    ],
)
async def test_the_pause_before_the_next_poll(
    naps: list[float], pace: float, size: int, pauses: list[float]
) -> None:
    consumer, log = _consumer(pace), Log(size)
    assert len(await consumer.poll(log)) == size
    assert naps == []
    await consumer.poll(log)
    assert naps == pauses
