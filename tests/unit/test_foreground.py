"""Who goes first in a process, and for how long the others stand back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from shared.contracts import Event
from shared.contracts.intake import FeedbackReceived, FeedbackUrged
from shared.messaging.envelope import Record, record_of
from shared.messaging.foreground import MANY, SOME, TOGETHER, Foreground
from shared.messaging.group_commit import GroupCommit
from shared.messaging.processing import Processor
from shared.messaging.subscription import YIELD_EVERY, Subscription
from tests.unit.test_polls import event

FAR = 1e9
INBOUND = "toy.inbound"


async def _turns(number: int = 10) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_they_wait_until_nobody_is_at_work() -> None:
    foreground = Foreground()
    with foreground:
        with foreground:
            waiting = asyncio.create_task(foreground.give_way(FAR))
            await _turns()
        await _turns()
        assert not waiting.done(), "one of the two is still at work"
    await waiting


async def test_they_wait_for_a_time_only() -> None:
    foreground, now = Foreground(), asyncio.get_running_loop().time()
    with foreground:
        await foreground.give_way(now + 0.001)
        await foreground.give_way(now - 1)


async def test_who_fails_is_at_work_no_longer() -> None:
    foreground = Foreground()
    with pytest.raises(ValueError, match="no"), foreground:
        raise ValueError("no")
    await foreground.give_way(FAR)


class _Noting(Foreground):
    """Remembers who was asked to give way."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    @property
    def at_work(self) -> bool:
        return self._at_work > 0

    async def give_way(self, until: float) -> None:
        self.asked.append(until)


class _Transaction:
    """As much of one as records of strangers need."""

    service, parked, healable = "toy", frozenset[str](), frozenset[str]()

    async def lock(self, *cases: str, loading: Any) -> None:
        assert not cases


async def _ignore(event: Event, tx: Any) -> None:
    return None


def _foreign(number: int) -> list[Record]:
    rows = (ConsumerRecord(INBOUND, 0, n, 0, 0, None, b"{}", None, 0, 2, ()) for n in range(number))
    return [record_of(r, foreign=True) for r in rows]


@pytest.mark.parametrize("linger", [0.0, 0.1])
async def test_between_its_events_a_batch_gives_way_where_nobody_waits_for_it(
    linger: float,
) -> None:
    foreground, taken = _Noting(), []

    async def take(record: Record, tx: Any) -> None:
        taken.append(record.offset)

    subscription = Subscription({}, raw={INBOUND: take}, linger=linger)
    records = _foreign(2 * YIELD_EVERY + 1)
    await subscription.process_batch(_Transaction(), records, foreground)  # type: ignore[arg-type]
    assert taken == list(range(len(records)))
    now = asyncio.get_running_loop().time()
    assert [until > now for until in foreground.asked] == [linger > 0] * 2
    assert len(set(foreground.asked)) == 1, "one span for the whole batch"


@pytest.mark.parametrize(
    ("taken", "linger", "urgent", "goes_first"),
    [
        pytest.param(FeedbackUrged, 0.0, frozenset(), True, id="whoever never gathers"),
        pytest.param(FeedbackUrged, 0.1, frozenset(), False, id="whoever always can wait"),
        pytest.param(FeedbackUrged, 0.1, {FeedbackReceived}, False, id="what can wait"),
        pytest.param(FeedbackReceived, 0.1, {FeedbackReceived}, True, id="what cannot"),
    ],
)
async def test_who_goes_first(
    taken: type[Event], linger: float, urgent: Any, goes_first: bool
) -> None:
    foreground, seen = _Noting(), []

    class Noting(Subscription):
        async def process_batch(self, *_: Any) -> None:
            seen.append(foreground.at_work)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        yield _Transaction()

    subscription = Noting({Event: _ignore}, linger=linger, urgent=frozenset(urgent))
    processor = Processor("toy", "toy", subscription, opened, foreground)
    await processor.process([record_of(event(0, taken))])
    assert seen == [goes_first]
    assert not foreground.at_work


async def test_who_is_at_the_door_goes_first() -> None:
    foreground, seen = _Noting(), []

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        yield None

    async def write(_: Any, items: list[int]) -> list[int | Exception]:
        seen.append(foreground.at_work)
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(opened, write, foreground=foreground)
    await group.start()
    assert await group.submit(1) == 1
    await group.stop()
    assert seen == [True]
    assert not foreground.at_work


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Foreground:
    """A crowd that stays at the door."""
    monkeypatch.setattr("shared.messaging.foreground.CROWDED", FAR)
    return Foreground()


async def _batch(
    foreground: Foreground,
    name: str,
    said: list[str],
    over: asyncio.Event,
    *,
    patient: bool = True,
) -> None:
    async with foreground.turn(patient=patient):
        said.append(name)
        await over.wait()


async def test_with_a_crowd_at_the_door_consumers_take_turns(crowded: Foreground) -> None:
    said = list[str]()
    crowded.accepted(MANY)
    first, second = asyncio.Event(), asyncio.Event()
    waiting = [
        asyncio.create_task(_batch(crowded, name, said, over))
        for name, over in (("first", first), ("second", second))
    ]
    await _turns()
    assert said == ["first"]
    first.set()
    await waiting[0]
    second.set()
    await waiting[1]
    assert said == ["first", "second"]


async def test_at_most_one_nobody_waits_for_is_before_who_is_urgent(crowded: Foreground) -> None:
    crowded.accepted(MANY)
    said, over = list[str](), asyncio.Event()
    waiting = [
        asyncio.create_task(_batch(crowded, name, said, over, patient=name != "urgent"))
        for name in ("first", "second", "urgent")
    ]
    await _turns()
    assert said == ["first"]
    over.set()
    await asyncio.gather(*waiting)
    assert said == ["first", "urgent", "second"]


async def test_whoever_waited_long_for_a_turn_begins(
    crowded: Foreground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.foreground.TURN", 0.01)
    said, over = list[str](), asyncio.Event()
    crowded.accepted(MANY)
    waiting = [asyncio.create_task(_batch(crowded, str(n), said, over)) for n in range(3)]
    while len(said) < 3:
        await asyncio.sleep(0.01)
    over.set()
    await asyncio.gather(*waiting)


@pytest.mark.parametrize(
    ("commits", "crowd"),
    [
        ([1] * (MANY - 1), False),
        ([1] * MANY, True),
        ([TOGETHER] * (SOME // TOGETHER), True),
        ([TOGETHER] * (SOME // TOGETHER - 1), False),
        ([TOGETHER - 1] * SOME, False),
    ],
    ids=["fewer than many", "many", "waiting for each other", "a few", "not quite together"],
)
async def test_a_crowd_is_many_or_those_who_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch, commits: list[int], *, crowd: bool
) -> None:
    monkeypatch.setattr("shared.messaging.foreground.WINDOW", FAR)
    monkeypatch.setattr("shared.messaging.foreground.CROWDED", FAR)
    foreground, said, over = Foreground(), list[str](), asyncio.Event()
    for number in commits:
        foreground.accepted(number)
    waiting = [asyncio.create_task(_batch(foreground, str(n), said, over)) for n in range(3)]
    await _turns()
    assert len(said) == (1 if crowd else 3)
    over.set()
    await asyncio.gather(*waiting)


async def test_who_came_long_ago_is_no_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.messaging.foreground.WINDOW", 0.001)
    monkeypatch.setattr("shared.messaging.foreground.CROWDED", FAR)
    foreground, said, over = Foreground(), list[str](), asyncio.Event()
    for _ in range(MANY - 1):
        foreground.accepted(1)
    await asyncio.sleep(0.01)
    foreground.accepted(1)
    waiting = [asyncio.create_task(_batch(foreground, str(n), said, over)) for n in range(3)]
    await _turns()
    assert len(said) == 3
    over.set()
    await asyncio.gather(*waiting)


async def test_a_turn_is_given_back_by_whoever_fails_or_is_ended(crowded: Foreground) -> None:
    said, over = list[str](), asyncio.Event()
    crowded.accepted(MANY)
    with pytest.raises(ValueError, match="no"):
        async with crowded.turn(patient=True):
            raise ValueError("no")
    ended = asyncio.create_task(_batch(crowded, "ended", said, over))
    await _turns()
    waiting = asyncio.create_task(_batch(crowded, "next", said, over))
    await _turns()
    assert said == ["ended"]
    ended.cancel()
    over.set()
    await waiting
    assert said == ["ended", "next"]


async def test_those_who_come_together_are_a_crowd() -> None:
    """Whoever accepts says how many a commit holds."""
    noted: list[int] = []

    class Counting(Foreground):
        def accepted(self, number: int) -> None:
            noted.append(number)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        yield None

    async def write(tx: Any, items: list[int]) -> list[int | Exception]:
        return [*items]

    commit: GroupCommit[int, int] = GroupCommit(opened, write, foreground=Counting())
    await commit.start()
    await asyncio.gather(*(commit.submit(n) for n in range(MANY)))
    await commit.stop()
    assert sum(noted) == MANY
