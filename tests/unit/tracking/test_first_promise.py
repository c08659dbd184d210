"""A date that was worked out anew before anybody was told is the first promise, not a moved one."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from services.tracking.domain import view
from services.tracking.domain.lines import line_of
from services.tracking.domain.view import Line
from services.tracking.wording import Wording
from shared.contracts.sla import SlaPromisesChanged, promises_after
from shared.contracts.vocabulary import Clock
from tests.unit.tracking.examples import START, Story

FRIDAY, TODAY = START + timedelta(days=2), START + timedelta(hours=7)


def _lines(*events: SlaPromisesChanged) -> list[dict[str, Any]]:
    case = SimpleNamespace(promises={})
    lines = []
    for n, event in enumerate(events, 1):
        if data := line_of(case, event):  # type: ignore[arg-type]
            lines.append(Line(n, START, "sla.promises_changed", data))
        case.promises = promises_after(case.promises, event)
    return [one for line in view._as_promised(lines) for one in line.data["promises"]]


def _kinds(*events: SlaPromisesChanged) -> list[tuple[str, str]]:
    return [(one["clock"], one["kind"]) for one in _lines(*events)]


def test_only_the_date_that_stands_is_shown_when_it_was_worked_out_anew() -> None:
    story = Story()
    first = story.changed("promised", Clock.RESOLUTION, FRIDAY)
    anew = story.changed("promised", Clock.RESOLUTION, TODAY)
    assert _kinds(first, anew) == [("RESOLUTION", "anew")]
    assert _kinds(first, anew, anew) == [("RESOLUTION", "anew")]


def test_a_line_of_two_dates_loses_only_the_one_that_was_worked_out_anew() -> None:
    story = Story()
    first = story.changed("promised", Clock.FIRST_RESPONSE, TODAY)
    answer = story.changed("promised", Clock.RESOLUTION, FRIDAY)
    both = answer.model_copy(update={"changes": first.changes + answer.changes})
    anew = story.changed("promised", Clock.RESOLUTION, TODAY)
    assert _kinds(both, anew) == [("FIRST_RESPONSE", "first"), ("RESOLUTION", "anew")]


def test_a_promise_that_was_announced_and_moves_stays_beside_its_new_date() -> None:
    story = Story()
    first = story.changed("promised", Clock.RESOLUTION, TODAY)
    moved = story.changed("moved", Clock.RESOLUTION, FRIDAY, first_due=TODAY, reason="calendar")
    assert _kinds(first, moved) == [("RESOLUTION", "first"), ("RESOLUTION", "moved")]


def test_a_promise_taken_back_in_the_same_moment_is_no_promise() -> None:
    story = Story()
    first = story.changed("promised", Clock.RESOLUTION, TODAY)
    praise = story.changed("cancelled", Clock.RESOLUTION)
    praise = praise.model_copy(update={"changes": first.changes + praise.changes})
    assert _kinds(praise) == []


def test_clocks_of_the_staff_and_ends_are_no_lines() -> None:
    story = Story()
    assert (
        _kinds(
            story.changed("promised", Clock.TRIAGE, TODAY),
            story.changed("met", Clock.TRIAGE),
            story.changed("paused", Clock.RESOLUTION, TODAY),
        )
        == []
    )


def test_several_dates_of_one_moment_are_one_line_of_several_sentences() -> None:
    data = {
        "promises": [
            {"clock": "FIRST_RESPONSE", "due": "2026-05-27T11:29:00+08:00", "kind": "first"},
            {"clock": "RESOLUTION", "due": "2026-06-02T11:59:00+08:00", "kind": "first"},
        ]
    }
    said = Wording("zh", lambda d: f"<{d}>", str).line("sla.promises_changed", data)
    assert said == "我们会在5月27日（周三）11:29 前回应您。我们会在6月2日（周二）11:59 前答复您。"
