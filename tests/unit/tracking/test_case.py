"""What facts change in the view of a case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.tracking.domain.case import CHANGES, deadlines, shorten
from services.tracking.store import CaseRow
from shared.contracts.desk import CaseReopened, CaseReturned
from shared.contracts.sla import SlaCancelled, SlaPaused, SlaResumed
from shared.contracts.vocabulary import Clock
from tests.unit.tracking.facts import Story


def view(*facts: Any) -> CaseRow:
    case = CaseRow(feedback_id=facts[0].feedback_id, received_at=facts[0].at)
    for fact in facts:
        for name, value in CHANGES[type(fact)](case, fact).items():
            setattr(case, name, value)
        for name, value in deadlines(case).items():
            setattr(case, name, value)
    return case


def clock_fact(story: Story, fact: type[Any], clock: Clock, **more: Any) -> Any:
    due = story.due[clock]
    return story.of(fact, clock=clock, **({"due": due, "first_due": due} | more))


def test_a_return_leaves_nobody_in_charge_and_counts() -> None:
    story = Story()
    case = view(
        *story.begun(),
        story.dispatched("it"),
        story.of(CaseReturned, department="it", reason="x"),
        story.dispatched("space"),
    )
    assert (case.department, case.dispatches, case.returns) == ("space", 2, 1)


def test_the_next_deadline_is_the_earliest_that_runs() -> None:
    story = Story()
    case = view(*story.begun())
    assert case.due_at == story.due[Clock.FIRST_RESPONSE]
    case = view(*story.begun(), story.met(Clock.FIRST_RESPONSE))
    assert case.due_at == story.due[Clock.RESOLUTION]


def test_a_paused_promise_is_neither_next_nor_late() -> None:
    story = Story()
    facts = [*story.begun(), story.met(Clock.FIRST_RESPONSE)]
    facts.append(clock_fact(story, SlaPaused, Clock.RESOLUTION))
    case = view(*facts)
    assert (case.due_at, case.promises["RESOLUTION"]["status"]) == (None, "paused")
    later = story.due[Clock.RESOLUTION] + timedelta(hours=2)
    case = view(*facts, clock_fact(story, SlaResumed, Clock.RESOLUTION, due=later))
    assert (case.due_at, case.promises["RESOLUTION"]["status"]) == (later, "running")


def test_a_breach_stays_whatever_comes_later() -> None:
    story = Story()
    late = [*story.begun(), story.breached(Clock.RESOLUTION)]
    assert view(*late).resolution_overdue
    for end in (
        story.met(Clock.RESOLUTION, in_time=False),
        clock_fact(story, SlaCancelled, Clock.RESOLUTION),
        story.promised(Clock.RESOLUTION, story.now + timedelta(days=30)),
    ):
        assert view(*late, end).promises["RESOLUTION"]["status"] == "breached"


def test_an_answered_case_is_not_overdue() -> None:
    story = Story()
    case = view(*story.begun(), story.breached(Clock.RESOLUTION), story.replied())
    assert (case.overdue, case.resolution_overdue, case.due_at) == (False, False, None)


def test_an_old_cycle_changes_nothing() -> None:
    story = Story()
    again = story.promised(Clock.RESOLUTION, story.now + timedelta(days=2), cycle=2)
    case = view(*story.answered(), story.of(CaseReopened, reason="x", cycle=2), again)
    assert (
        view(
            *story.answered(),
            story.of(CaseReopened, reason="x", cycle=2),
            again,
            story.met(Clock.RESOLUTION),
        ).promises
        == case.promises
    )
    assert case.promises["RESOLUTION"]["cycle"] == 2


def test_routing_decides_the_kind_only_until_somebody_dispatched() -> None:
    from shared.contracts.routing import FeedbackRouted

    story = Story()
    routed = story.of(
        FeedbackRouted,
        category="systems",
        case_type="complaint",
        priority="P2",
        confidence=0.9,
    )
    assert view(*story.begun(), routed).priority == "P2"
    assert view(*story.begun(), story.dispatched(), routed).priority == "P3"


@pytest.mark.parametrize(
    ("text", "title"), [("短", "短"), ("一\n 二", "一 二"), ("字" * 80, "字" * 59 + "…")]
)
def test_the_beginning_of_the_text_stands_in_for_a_title(text: str, title: str) -> None:
    assert shorten(text) == title
