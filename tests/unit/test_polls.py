"""How often a consumer polls, and what it gathers before it opens a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from shared.contracts import EVENTS, Event
from shared.contracts.desk import CaseDispatched
from shared.contracts.intake import FeedbackReceived, FeedbackUrged
from shared.messaging import consumer as module
from shared.messaging import pace
from shared.messaging.consumer import LOOK_LATE, LogConsumer
from shared.messaging.pace import EXPECTED, PASSED_OVER, POLL_INTERVAL
from shared.messaging.subscription import Subscription

PARTITION = TopicPartition(EVENTS, 0)
LINGER = 0.5
AT_ONCE, LATER, OWN = FeedbackReceived, FeedbackUrged, "toy"
Poll = Sequence[ConsumerRecord] | Exception


class Log:
    """As much of a Kafka consumer as a poll asks of it; time passes only while it waits here."""

    def __init__(self, *polls: Poll) -> None:
        self.polls = list(polls)
        self.now = 1_000.0
        self.waited: list[float] = []
        self.sought: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    def last_poll_timestamp(self, _: TopicPartition) -> int | None:
        return None

    async def committed(self, _: TopicPartition) -> int:
        return 0

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def getmany(self, *, timeout_ms: int, **_: Any) -> dict[TopicPartition, Any]:
        self.waited.append(timeout_ms / 1_000)
        if not self.polls:
            self.now += timeout_ms / 1_000
            return {}
        self.now += 0.01
        records = self.polls.pop(0)
        if isinstance(records, Exception):
            raise records
        return {PARTITION: list(records)} if records else {}


def event(offset: int, of: type[Event] = LATER, *, source: str = "", **body: Any) -> ConsumerRecord:
    case = "01JZ0000000000000000000001"
    headers = {"ce_type": of.type, "ce_source": source or of.owner, "ce_subject": case}
    headers["ce_sequence"] = str(offset + 1)
    content = of.model_construct(feedback_id=case, **body).model_dump_json(warnings=False)
    named = [(k, v.encode()) for k, v in headers.items()]
    return ConsumerRecord(
        EVENTS, 0, offset, 0, 0, case.encode(), content.encode(), None, 0, 2, named
    )


async def _ignore(event: Event, tx: Any) -> None:
    return None


class _Transaction:
    """Nothing is written here."""

    healable: frozenset[str] = frozenset()

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class _Noted(Subscription):
    """Notes the offsets of each transaction."""

    noted: list[list[int]] = field(default_factory=list)

    async def process_batch(self, tx: Any, records: Any, foreground: Any = None) -> None:
        self.noted.append([r.offset for r in records])


@dataclass
class Toy:
    consumer: LogConsumer
    log: Log
    noted: list[list[int]]
    naps: list[float]

    async def poll(self) -> None:
        await self.consumer.poll(self.log)

    @property
    def position(self) -> int:
        """Where the group goes on after a kill."""
        return self.consumer._position.get(PARTITION, 0)


def toy(monkeypatch: pytest.MonkeyPatch, *polls: Poll, **more: Any) -> Toy:
    """A consumer that reads these polls; nobody waits in earnest."""
    log, naps = Log(*polls), []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        log.now += seconds

    async def rest(event: asyncio.Event, within: float) -> bool:
        await nap(within)
        return False

    kept = SimpleNamespace(sleep=nap, Lock=asyncio.Lock)
    monkeypatch.setattr(module, "asyncio", kept)
    monkeypatch.setattr(pace, "woken", rest)
    for one in (module, pace):
        monkeypatch.setattr(one, "time", SimpleNamespace(monotonic=lambda: log.now))
    subscription = _Noted(more.pop("handlers", {Event: _ignore}), **more)
    consumer = LogConsumer(
        "toy",
        kafka="127.0.0.1:1",
        subscription=subscription,
        open_transaction=_Transaction,  # type: ignore[arg-type]
        group="toy",
        instance="1",
        max_records=100,
    )
    return Toy(consumer, log, subscription.noted, naps)


@pytest.mark.parametrize(
    ("size", "pauses"),
    [
        (1, True),
        pytest.param(0, False, id="nothing came: whatever comes next is wanted at once"),
        pytest.param(100, False, id="a full poll: there is more, and no reason to wait"),
    ],
)
async def test_the_pause_before_the_next_poll(
    monkeypatch: pytest.MonkeyPatch, size: int, pauses: bool
) -> None:
    poll = [event(n) for n in range(size)]
    it = toy(monkeypatch, poll, poll)
    await it.poll()
    assert it.naps == []
    await it.poll()
    assert it.naps == ([pytest.approx(POLL_INTERVAL)] if pauses else [])
    assert it.consumer.health.processed == 2 * size


async def test_after_what_nobody_here_wants_the_next_poll_waits_a_little_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = toy(monkeypatch, [event(0, source=OWN)], [event(1)])
    await it.poll()
    await it.poll()
    assert it.naps == [pytest.approx(PASSED_OVER)]
    assert it.noted == [[1]]


async def test_what_this_process_has_just_committed_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody rests until it has come, or for so long that it went to another process."""
    ours, urgent = event(0, source=OWN), frozenset({AT_ONCE})
    it = toy(monkeypatch, [ours], [ours], [event(2, AT_ONCE)], [], urgent=urgent)
    it.consumer._pace.expect({LATER.type})
    await it.poll()
    await it.poll()
    assert len(it.naps) == 1, "of what is not urgent nobody hears"
    it.consumer._pace.expect({LATER.type, AT_ONCE.type})
    await it.poll()
    assert (it.noted, len(it.naps)) == ([[2]], 1)
    await it.poll()
    assert len(it.naps) == 2, "it has come"
    it = toy(monkeypatch, [ours], [ours], urgent=urgent)
    await it.poll()
    it.consumer._pace.expect({AT_ONCE.type})
    it.log.now += EXPECTED - PASSED_OVER / 2
    it.consumer._pace._next_poll_at = it.log.now + PASSED_OVER
    await it.poll()
    assert it.naps == []
    it.log.now += PASSED_OVER
    it.consumer._pace._next_poll_at = it.log.now + PASSED_OVER
    await it.poll()
    assert it.naps == [pytest.approx(PASSED_OVER)]


async def test_what_can_wait_is_processed_with_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = toy(monkeypatch, [event(0)], [event(1)], [], [event(2)], linger=LINGER)
    await it.poll()
    assert it.noted == [[0, 1, 2]]
    assert it.position == 3
    assert it.naps == [LOOK_LATE * LINGER], "every look is a request to the broker"
    assert it.log.now == pytest.approx(1_000.01 + LINGER, abs=0.01)


@pytest.mark.parametrize(
    ("how", "waited"),
    [
        pytest.param({"linger": LINGER}, 1, id="nobody waits for it"),
        pytest.param({"linger": LINGER, "linger_at_broker": True}, 1, id="gathered at the broker"),
        pytest.param({"linger": LINGER, "urgent": frozenset({AT_ONCE})}, 0, id="some is urgent"),
        pytest.param({}, 0, id="all of it is"),
    ],
)
async def test_who_stands_back_before_it_processes(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], waited: int
) -> None:
    it = toy(monkeypatch, [event(0)], **how)
    asked: list[float] = []

    async def give_way(until: float) -> None:
        assert it.noted == []
        asked.append(until)

    monkeypatch.setattr(it.consumer._foreground, "give_way", give_way)
    await it.poll()
    assert len(asked) == waited
    assert it.noted == [[0]]


async def test_what_is_urgent_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    it = toy(
        monkeypatch,
        [event(0)],
        [event(1, AT_ONCE)],
        [event(2)],
        linger=LINGER,
        urgent=frozenset({AT_ONCE}),
    )
    await it.poll()
    assert it.noted == [[0, 1]]
    await it.poll()
    assert it.noted == [[0, 1], [2]]


async def test_who_lets_the_broker_gather_does_not_wait_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = toy(monkeypatch, [event(0)], [event(1)], linger=LINGER, linger_at_broker=True)
    await it.poll()
    assert it.noted == [[0]]


async def test_a_full_poll_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    it = toy(monkeypatch, [event(n) for n in range(100)], [event(100)], linger=LINGER)
    await it.poll()
    assert it.noted == [list(range(100))]


async def test_what_nobody_wants_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    it = toy(monkeypatch, [event(0, source=OWN)], [event(1)], linger=LINGER)
    await it.poll()
    assert it.noted == []
    assert it.position == 1


async def test_what_was_gathered_is_read_again_when_a_fetch_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = toy(monkeypatch, [event(0)], ConnectionError("away"), [event(0)], linger=LINGER)
    with pytest.raises(ConnectionError):
        await it.poll()
    assert it.noted == []
    assert it.position == 0, "nothing was marked as processed"
    await it.consumer._rewind(it.log)
    assert it.log.sought == [0]


async def test_gathered_before_what_cannot_be_read_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "is_unreadable", lambda error: isinstance(error, UnicodeError))
    it = toy(monkeypatch, [event(0)], UnicodeError("header"), linger=LINGER)
    await it.poll()
    assert it.noted == []
    assert it.position == 0
    assert it.log.sought == [0]


async def test_an_event_that_changes_nothing_costs_no_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"at": datetime(2026, 3, 4, tzinfo=UTC), "department": "space", "category": "seats"}
    given |= {"case_type": "complaint", "priority": "P3"}
    it = toy(
        monkeypatch,
        [event(0, CaseDispatched, decided="rule", **given)],
        [event(1, CaseDispatched, decided="rule", **given), event(2)],
        [event(3, CaseDispatched, decided="person", **given)],
        [event(4, CaseDispatched, decided="rule")],
        handlers={CaseDispatched: _ignore, LATER: _ignore},
        concerns={CaseDispatched: lambda dispatched: dispatched.decided == "person"},
    )
    for _ in range(4):
        await it.poll()
    assert it.noted == [[2], [3], [4]], "what cannot be read is for those who bury it"
    assert it.position == 5
