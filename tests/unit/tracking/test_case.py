"""What events change in the view of a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import pytest

from services.tracking.domain.case import changes_of, deadlines, shorten
from services.tracking.store import CaseRow
from shared.contracts.desk import CaseReopened, CaseReturned
from shared.contracts.intake import FeedbackSupplemented
from shared.contracts.vocabulary import Clock
from tests.unit.tracking.examples import Story


def view(*events: Any) -> CaseRow:
    case = CaseRow(feedback_id=events[0].feedback_id, received_at=events[0].at)
    for event in events:
        for name, value in (changes_of(case, event) or {}).items():
            setattr(case, name, value)
        for name, value in deadlines(case, event.at).items():
            setattr(case, name, value)
    return case


def test_a_return_leaves_nobody_in_charge_and_counts() -> None:
    story = Story()
    case = view(
        *story.begun(),
        story.dispatched("it"),
        story.of(CaseReturned, department="it", reason="x"),
        story.dispatched("space"),
    )
    assert (case.department, case.dispatches, case.returns) == ("space", 2, 1)


def test_who_began_with_a_greeting_finds_it_called_by_what_they_said_next() -> None:
    story = Story()

    def added(text: str, **more: Any) -> Any:
        return story.of(FeedbackSupplemented, text=text, words_id="w", **more)

    begun = story.received(text="你好")
    assert view(begun, added("在吗"), added("谢谢", thanks=True)).title == "你好"
    assert view(begun, added("二楼太冷了"), added("三楼也是")).title == "二楼太冷了"
    assert view(begun, story.dispatched("it"), added("二楼太冷了")).title == "你好"
    assert view(story.received(title="你好", text="灯不亮了"), added("也冷")).title == "灯不亮了"


def test_the_next_deadline_is_the_earliest_that_runs() -> None:
    story = Story()
    case = view(*story.begun())
    assert case.due_at == story.due[Clock.FIRST_RESPONSE]
    case = view(*story.begun(), story.met(Clock.FIRST_RESPONSE))
    assert case.due_at == story.due[Clock.RESOLUTION]


def test_a_paused_promise_is_neither_next_nor_late() -> None:
    story = Story()
    events = [*story.begun(), story.met(Clock.FIRST_RESPONSE)]
    events.append(story.changed("paused", Clock.RESOLUTION))
    case = view(*events)
    assert (case.due_at, case.promises["RESOLUTION"]["status"]) == (None, "paused")
    later = story.due[Clock.RESOLUTION] + timedelta(hours=2)
    case = view(*events, story.changed("resumed", Clock.RESOLUTION, later))
    assert (case.due_at, case.promises["RESOLUTION"]["status"]) == (later, "running")


@pytest.mark.parametrize(
    "end",
    [
        lambda story: story.met(Clock.RESOLUTION, in_time=False),
        lambda story: story.changed("cancelled", Clock.RESOLUTION),
        lambda story: story.promised(Clock.RESOLUTION, story.now + timedelta(days=30)),
    ],
)
def test_a_breach_stays_whatever_comes_later(end: Callable[[Story], Any]) -> None:
    story = Story()
    late = [*story.begun(), story.breached(Clock.RESOLUTION)]
    assert view(*late).resolution_overdue
    assert view(*late, end(story)).promises["RESOLUTION"]["status"] == "breached"


def test_a_breach_of_a_clock_that_stands_still_is_not_late_now() -> None:
    story = Story()
    late = [*story.begun(), story.breached(Clock.RESOLUTION)]
    case = view(*late, story.changed("paused", Clock.RESOLUTION))
    assert (case.promises["RESOLUTION"]["status"], case.overdue) == ("breached", False)


def test_the_next_deadline_is_the_earliest_moment_whatever_offset_it_was_written_with() -> None:
    story = Story()
    beijing, honolulu = timezone(timedelta(hours=8)), timezone(timedelta(hours=-10))
    early, late = story.now + timedelta(hours=1), story.now + timedelta(hours=2)
    case = view(
        story.received(),
        # As texts the later one, with its earlier hour, would come first.
        story.promised(Clock.FIRST_RESPONSE, late.astimezone(honolulu)),
        story.promised(Clock.RESOLUTION, early.astimezone(beijing)),
    )
    assert case.due_at == early


def test_an_answered_case_is_not_overdue() -> None:
    story = Story()
    case = view(*story.begun(), story.breached(Clock.RESOLUTION), story.replied())
    assert (case.overdue, case.resolution_overdue, case.due_at) == (False, False, None)


def test_a_breach_of_an_old_cycle_changes_nothing() -> None:
    story = Story()
    before = [*story.begun(), story.breached(Clock.RESOLUTION)]
    again = story.promised(Clock.RESOLUTION, story.now + timedelta(days=2), cycle=2)
    case = view(*before, story.of(CaseReopened, reason="x", cycle=2), again, before[-1])
    assert (case.promises["RESOLUTION"]["cycle"], case.overdue) == (2, False)


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
