"""What the tracking page says at the top."""

from __future__ import annotations

from typing import Any

import pytest

from services.tracking.wording.journey import (
    PROMISES,
    SENTENCES,
    STATE_WORDS,
    promise,
    sentence,
    steps,
)
from shared.contracts.vocabulary import CLOCK_NAMES, Clock, State
from shared.web import names

JARGON = ("工单", "派单", "签收", "退单", "case", "ticket", "sla", "triage")


def case(state: str, *types: str, **more: Any) -> dict[str, Any]:
    timeline = [
        {"seq": n, "at": f"2026-11-25T0{n}:00:00Z", "type": kind, "text": ""}
        for n, kind in enumerate(types, 1)
    ]
    return {"state": state, "department_name": "信息系统部", "timeline": timeline, **more}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_state_has_a_sentence_without_jargon(state: State, locale: str) -> None:
    said = sentence({"state": state, "department_name": "信息系统部"}, locale)
    assert said
    assert "{" not in said
    assert not any(word in said.lower() for word in JARGON)


def test_every_state_has_an_icon_and_words_for_reporters() -> None:
    assert {str(state) for state in State} == set(names.STATE_ICONS)
    assert {str(state) for state in State} == set(STATE_WORDS) == set(SENTENCES)
    assert {str(clock) for clock in Clock} == set(CLOCK_NAMES) == set(PROMISES)


def test_a_case_nobody_has_yet_still_makes_a_sentence() -> None:
    assert "负责的部门" in sentence({"state": "IN_PROGRESS", "department_name": None})


def test_the_steps_follow_the_path_of_a_case() -> None:
    made = steps(case("IN_PROGRESS", "feedback.received", "case.dispatched", "case.accepted"))
    assert [step["mark"] for step in made] == ["done", "done", "now", "next"]
    assert [step["at"] and step["at"][12] for step in made] == ["1", "2", "3", None]


def test_a_reply_completes_all_four_steps() -> None:
    made = steps(case("REPLIED", "feedback.received", "case.dispatched", "case.replied"))
    assert {step["mark"] for step in made} == {"done"}
    assert made[1]["at"].endswith("02:00:00Z")


def test_what_was_closed_unanswered_has_no_tick_at_the_answer() -> None:
    shown = case("CLOSED", "feedback.received", "case.closed", answered=False, replies=[])
    assert [step["mark"] for step in steps(shown)] == ["done", "next", "next", "next"]
    assert {step["at"] for step in steps(shown)[1:]} == {None}
    assert sentence(shown) != sentence(shown | {"answered": True})


def test_a_joined_reader_reads_when_the_other_was_answered() -> None:
    replies = [{"at": "2026-11-25T07:00:00Z"}, {"at": "2026-11-25T06:00:00Z"}]
    shown = case("REPLIED", "feedback.received", "case.merged", answered=True, replies=replies)
    assert steps(shown)[3]["at"] == "2026-11-25T07:00:00Z"


def test_a_case_that_was_withdrawn_stands_at_no_step() -> None:
    assert "now" not in [step["mark"] for step in steps(case("WITHDRAWN", "feedback.received"))]


def test_a_promise_that_was_kept_is_not_announced_again() -> None:
    promises = [
        {"clock": "RESOLUTION", "status": "met", "due": "2026-11-27T09:00:00Z"},
        {"clock": "FIRST_RESPONSE", "status": "running", "due": "2026-11-26T09:00:00Z"},
    ]
    found = promise({"promises": promises}, "RESOLUTION", "FIRST_RESPONSE")
    assert found is not None
    assert found["clock"] == "FIRST_RESPONSE"
