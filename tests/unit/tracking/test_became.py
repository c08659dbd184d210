"""A page that is answered after an action shows what came of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.tracking.domain.became import BECOMES, became
from services.tracking.domain.view import Line
from services.tracking.wording.journey import THANKS
from shared.contracts.vocabulary import State
from tests.support import at

AT = at("2026-03-04 10:00")


def line(type_: str, **later: float) -> Line:
    return Line(1, AT + timedelta(**later), type_, {})


@pytest.mark.parametrize(
    ("done", "before", "after"),
    [
        ("reopen", State.CLOSED, State.TRIAGE),
        ("reopen", State.REPLIED, State.TRIAGE),
        ("appeal", State.REJECTED, State.APPEALED),
        ("withdraw", State.IN_PROGRESS, State.WITHDRAWN),
        ("supplement", State.WAITING_USER, State.IN_PROGRESS),
        ("supplement", State.REJECTED, State.TRIAGE),
    ],
)
def test_it_has_come_of_it_when_the_case_has_moved_or_it_was_refused(
    done: str, before: State, after: State
) -> None:
    asked = line(BECOMES[done][0])
    assert not became(done, AT, before, [asked])
    assert became(done, AT, after, [asked])
    assert became(done, AT, before, [asked, line("case.request_refused", seconds=1)])
    assert not became(done, AT, after, [line(BECOMES[done][0], hours=-1)]), "an earlier one"


@pytest.mark.parametrize("done", ["urge", "rate", "supplement"])
def test_what_moves_nothing_is_done_as_soon_as_it_is_on_the_page(done: str) -> None:
    assert not became(done, AT, State.IN_PROGRESS, [])
    assert became(done, AT, State.IN_PROGRESS, [line(BECOMES[done][0])])


def test_every_action_of_a_case_is_known() -> None:
    assert set(BECOMES) == set(THANKS) - {"matters"}
