"""Answers of the dashboard that are kept: as long as they are true, and no longer."""

from __future__ import annotations

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
    assert answers.get(asked(), "1:1:") is None
    answers.keep(asked(), "1:1:", found())
    return answers


def test_the_same_question_has_the_same_answer(answers: Answers) -> None:
    assert answers.get(asked("2026-03-04 10:59"), "1:1:") == found()
    assert answers.get(asked(category="seats"), "1:1:") is None


def test_nothing_is_known_after_a_write(answers: Answers) -> None:
    assert answers.get(asked(), "1:2:") is None
    assert len(answers) == 0


def test_what_was_read_before_a_write_is_not_kept_after_it(answers: Answers) -> None:
    answers.get(asked(), "1:2:")
    answers.keep(asked(), "1:1:", found())
    assert answers.get(asked(), "1:2:") is None


@pytest.mark.parametrize("now", ["2026-03-04 10:09", "2026-03-04 11:00", "2026-03-05 10:10"])
def test_an_answer_ends_at_its_moment_and_was_none_before_it(answers: Answers, now: str) -> None:
    assert answers.get(asked(now), "1:1:") is None


def test_a_deadline_and_a_new_hour_end_an_answer() -> None:
    question = asked("2026-03-04 10:10")
    assert valid_until(question, None) == at("2026-03-04 11:00")
    assert valid_until(question, at("2026-03-04 10:30")) == at("2026-03-04 10:30")
    assert valid_until(question, at("2026-03-06 10:30")) == at("2026-03-04 11:00")


def test_the_oldest_answers_make_room(answers: Answers) -> None:
    for n in range(MOST):
        answers.keep(asked(category=str(n)), "1:1:", found())
    assert len(answers) == MOST
    assert answers.get(asked(), "1:1:") is None
    assert answers.get(asked(category="0"), "1:1:") == found()
