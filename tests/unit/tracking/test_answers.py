"""Answers of the dashboard that are kept: as long as they are true, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from services.tracking.deps import Answer, Answers
from services.tracking.deps.answers import MOST
from services.tracking.domain.board import Question, valid_until
from tests.support import at


def asked(now: str = "2026-03-04 10:10", **filters: str) -> Question:
    return Question(at("2026-03-04 00:00"), at("2026-03-05 00:00"), at(now), **filters)


def found(until: str = "2026-03-04 11:00") -> Answer:
    return Answer({}, [], at("2026-03-04 10:10"), at(until))


@pytest.fixture
def answers() -> Answers:
    answers = Answers()
    assert answers.get(asked(), "1") is None
    answers.keep(asked(), "1", found())
    return answers


def test_the_same_question_has_the_same_answer(answers: Answers) -> None:
    assert answers.get(asked("2026-03-04 10:59"), "1") == found()
    assert answers.get(asked(category="seats"), "1") is None


def test_nothing_is_known_after_a_move(answers: Answers) -> None:
    assert answers.get(asked(), "2") is None
    assert len(answers) == 0


def test_what_was_read_before_a_move_is_not_kept_after_it(answers: Answers) -> None:
    answers.get(asked(), "2")
    answers.keep(asked(), "1", found())
    assert answers.get(asked(), "2") is None


@pytest.mark.parametrize("now", ["2026-03-04 10:09", "2026-03-04 11:00", "2026-03-05 10:10"])
def test_an_answer_ends_at_its_moment_and_was_none_before_it(answers: Answers, now: str) -> None:
    assert answers.get(asked(now), "1") is None


def test_a_deadline_and_a_new_hour_end_an_answer() -> None:
    question = asked("2026-03-04 10:10")
    assert valid_until(question, None) == at("2026-03-04 11:00")
    assert valid_until(question, at("2026-03-04 10:30")) == at("2026-03-04 10:30")
    assert valid_until(question, at("2026-03-06 10:30")) == at("2026-03-04 11:00")


def test_the_oldest_answers_make_room(answers: Answers) -> None:
    for n in range(MOST):
        answers.keep(asked(category=str(n)), "1", found())
    assert len(answers) == MOST
    assert answers.get(asked(), "1") is None
    assert answers.get(asked(category="0"), "1") == found()


class Reader:
    """Reads when it is told to go on."""

    def __init__(self, *found: Answer) -> None:
        self.found = list(found)
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self) -> Answer:
        self.begun += 1
        await self.go.wait()
        return self.found.pop(0)


async def test_who_asks_the_same_while_it_is_read_has_what_is_read() -> None:
    answers, reader = Answers(), Reader(found())
    many = [asyncio.create_task(answers.shared(asked(), "1", reader)) for _ in range(5)]
    await asyncio.sleep(0)
    # Who was first goes away: the others wait for it all the same.
    many[0].cancel()
    reader.go.set()
    assert await asyncio.gather(*many[1:]) == [found()] * 4
    assert reader.begun == 1
    assert answers._being_read == {}


async def test_what_began_to_be_read_before_a_move_or_for_another_question_is_not_shared() -> None:
    answers, reader = Answers(), Reader(found(), found(), found())
    many = [
        asyncio.create_task(answers.shared(question, name, reader))
        for question, name in ((asked(), "1"), (asked(), "2"), (asked(category="seats"), "2"))
    ]
    await asyncio.sleep(0)
    reader.go.set()
    await asyncio.gather(*many)
    assert reader.begun == 3


async def test_who_comes_after_the_moment_that_ends_an_answer_reads_again() -> None:
    later = Answer({}, [], at("2026-03-04 11:00"), at("2026-03-04 12:00"))
    answers, reader = Answers(), Reader(found(), later)
    first = asyncio.create_task(answers.shared(asked("2026-03-04 10:59"), "1", reader))
    await asyncio.sleep(0)
    second = asyncio.create_task(answers.shared(asked("2026-03-04 11:00"), "1", reader))
    reader.go.set()
    assert (await first, await second) == (found(), later)


async def test_a_reading_that_fails_fails_for_all_who_wait_and_is_tried_again() -> None:
    async def fail() -> Answer:
        raise TimeoutError

    answers, reader = Answers(), Reader(found())
    many = [asyncio.create_task(answers.shared(asked(), "1", fail)) for _ in range(2)]
    said = await asyncio.gather(*many, return_exceptions=True)
    assert [type(one) for one in said] == [TimeoutError] * 2
    reader.go.set()
    assert await answers.shared(asked(), "1", reader) == found()
