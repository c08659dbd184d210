"""What an operator says to do without: the case goes on, also where the log is read anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.cli import show_letters, take_in_again
from shared.contracts import EVENTS
from shared.ids import new_id
from shared.messaging import dead_letters, passed_over
from shared.messaging.envelope import Record
from shared.messaging.processing import Processor
from shared.service import Service
from tests.messaging.conftest import scalar
from tests.messaging.test_streams import handled, letters, process, refuse, story


async def read_anew(service: Service, batch: Sequence[Record]) -> None:
    """As a rebuild does, which empties what is made of the log."""
    async with service.transaction() as tx:
        for table in ("streams", "dead_letters", "outbox", "handled"):
            await tx.fetch(f"DELETE FROM {table}")
    reading = Processor("toy", "toy", service.subscription, service.transaction)
    assert (await reading.process(batch)).done == len(batch)


async def test_an_event_that_never_works_is_passed_over_for_good(
    seer: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    case = new_id()
    batch = first, second, third = story(seer, case, "poison")
    await refuse(seer, first)
    await process(seer, second, third)
    await show_letters(seer)
    shown = capsys.readouterr().out
    assert f"{case}: feedback.received.v1 {first.ce_id} at {EVENTS}/0/0, " in shown
    assert "a bug; 2 parked behind it" in shown

    assert not await take_in_again(seer, case)
    assert not await take_in_again(seer, case, passing_over=new_id())
    assert f"dead-letters {case}" in capsys.readouterr().out
    assert await take_in_again(seer, case, passing_over=str(first.ce_id))
    assert "2 processed, 1 passed over" in capsys.readouterr().out
    assert await handled(seer, case) == "uu"
    assert await letters(seer, case) == []
    await show_letters(seer, case, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["letters"] == []
    (passed,) = shown["passed_over"]
    assert (passed["event"], passed["topic"], passed["offset"]) == (first.ce_id, EVENTS, 0)
    assert passed["reason"].startswith("Poison")

    await process(seer, first)
    await read_anew(seer, batch)
    assert await handled(seer, case) == "uu"
    assert await letters(seer, case) == []
    assert (
        await scalar(seer, "SELECT count(*) FROM passed_over WHERE feedback_id = :i", i=case) == 1
    )


async def test_what_was_passed_over_is_so_again_when_it_waited_behind_another(
    seer: Service,
) -> None:
    case = new_id()
    first, second, third = story(seer, case)
    broken = replace(second, body=b"{")
    await process(seer, first)
    await refuse(seer, broken)
    passing = seer.redrive(case, passing_over=f"{EVENTS}/0/1")
    assert [r.passed_over async for r in passing] == [True]
    seer.deps["poison"] = "hello"
    await read_anew(seer, [first, broken, third])
    assert len(await letters(seer, case)) == 3
    seer.deps["antidote"] = True
    assert [r.passed_over async for r in seer.redrive(case)] == [False, True, False]
    assert await handled(seer, case) == "ru"


async def test_nothing_is_passed_over_unasked(seer: Service) -> None:
    case = new_id()
    first, *_ = story(seer, case, "poison")
    nameless = {name: value for name, value in first.headers.items() if name != "ce_id"}
    await refuse(seer, replace(first, headers=nameless))
    assert [r.passed_over async for r in seer.redrive(case)] == [False]
    assert [r.passed_over async for r in seer.redrive(case, passing_over=f"{EVENTS}/0/0")] == [True]
    assert await letters(seer, case) == []


async def test_an_event_that_works_by_now_is_not_passed_over(seer: Service) -> None:
    case = new_id()
    first, second, _ = story(seer, case)
    await refuse(seer, first)
    await process(seer, second)
    done = [r.error async for r in seer.redrive(case, passing_over=second.ce_id)]
    assert done == [None, None]
    assert await handled(seer, case) == "ru"
    assert await passed_over.listed(seer.engine, case) == []


async def test_what_was_said_never_to_come_is_not_waited_for_when_the_log_is_read_anew(
    seer: Service,
) -> None:
    case, other = new_id(), new_id()
    first, _, third, _, fifth = story(seer, case, urged=4)
    batch = [first, third, fifth]
    await process(seer, *batch)
    assert [r.error async for r in seer.redrive(case, past_gaps=True)] == [None, None]
    missing = [(p["first"], p["last"]) for p in await passed_over.listed(seer.engine, case)]
    assert missing == [(2, 2), (4, 4)]
    for again in (batch, [fifth, first, third], [third, fifth, first]):
        await read_anew(seer, again)
        assert await handled(seer, case) == "ruu"
        assert await letters(seer, case) == []
    elsewhere = story(seer, other)
    await process(seer, elsewhere[0], elsewhere[2])
    assert await letters(seer, other) == [(None, "intake 2")]


async def test_the_first_cases_that_wait_are_named(seer: Service) -> None:
    cases = [new_id() for _ in range(5)]
    for case in reversed(cases):
        first, second, _ = story(seer, case)
        await refuse(seer, first)
        await process(seer, second)
    waiting = await dead_letters.waiting_cases(seer.engine)
    assert waiting == cases[:0:-1]
    sentence = dead_letters.warning("desk", 5, 5, waiting)
    assert f"stand still: {cases[4]}, {cases[3]}, {cases[2]} …; " in sentence
    assert sentence.endswith(f"python -m services.desk redrive {cases[4]}")
