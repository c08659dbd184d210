"""A date that was worked out anew before anybody was told is the first promise, not a moved one."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from services.tracking.domain import view
from services.tracking.domain.lines import line_of
from services.tracking.domain.view import Line
from shared.contracts.sla import SlaPromised
from shared.contracts.vocabulary import Clock, Priority
from tests.unit.tracking.facts import START, Story

FRIDAY, TODAY = START + timedelta(days=2), START + timedelta(hours=7)


def _promised(story: Story, due: datetime, first: datetime) -> SlaPromised:
    fact: SlaPromised = story.of(
        SlaPromised,
        clock=Clock.RESOLUTION,
        cycle=1,
        started=START,
        due=due,
        first_due=first,
        priority=Priority.P3,
    )
    return fact


def _known(due: datetime) -> Any:
    return SimpleNamespace(
        promises={Clock.RESOLUTION: {"cycle": 1, "due": due.isoformat(), "status": "running"}}
    )


def _shown(*data: dict[str, Any] | None) -> list[dict[str, Any]]:
    lines = [Line(n + 1, START, "sla.promised", one) for n, one in enumerate(data) if one]
    return [line.data for line in view._as_promised(lines)]


def test_only_the_date_that_stands_is_told_when_it_was_worked_out_anew() -> None:
    story = Story()
    first = line_of(None, _promised(story, FRIDAY, FRIDAY))
    anew = line_of(_known(FRIDAY), _promised(story, TODAY, TODAY))
    assert anew is not None and "moved" not in anew
    assert _shown(first, anew) == [anew]


def test_a_promise_that_was_told_and_moves_stays_beside_its_new_date() -> None:
    story = Story()
    first = line_of(None, _promised(story, TODAY, TODAY))
    moved = line_of(_known(TODAY), _promised(story, FRIDAY, TODAY))
    assert moved is not None and moved["moved"]
    assert _shown(first, moved) == [first, moved]
