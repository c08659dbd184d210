"""Whose case was joined to another says that its answer solved nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.contracts import Event
from shared.contracts.intake import FeedbackReopenRequested
from shared.contracts.vocabulary import Solved
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.examples import RECEIVED
from tests.service.desk.test_related import merged, shown, told, work


@pytest.mark.parametrize(
    "said",
    [
        lambda one: examples.rated(one, 1, Solved.NO, "根本没修"),
        lambda one: examples.rated(one, 2, Solved.YES, "根本没修"),
        lambda one: examples.rated(one, 3, Solved.PARTLY, "根本没修"),
        lambda one: FeedbackReopenRequested(feedback_id=one, at=RECEIVED, reason="根本没修"),
    ],
)
async def test_that_it_is_not_solved_reaches_who_works_on_the_target_as_added_words_do(
    desk: Desk, said: Callable[[str], Event]
) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.process(said(one))
    await work(desk)
    case = await shown(desk, target)
    assert (case["state"], case["words_owed"]) == ("REPLIED", True)
    assert [m["text"] for m in case["conversation"] if m["who"] == "another"] == ["根本没修"]
    assert [f["origin"] for f in await told(desk, target, "case.words_owed")] == [one]
    assert await told(desk, one, "case.request_refused") == []


async def test_a_joined_reporter_who_is_content_owes_nobody_anything(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.process(examples.rated(one))
    await work(desk)
    assert not (await shown(desk, target))["words_owed"]


async def test_a_joined_reporter_has_a_closed_target_taken_up_again_in_time(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.do(desk.as_("coordinator"), target, "close")
    # Of a rating there is no refusal: their page says how it is taken up again.
    await desk.process(examples.rated(one, 1, Solved.NO, "根本没修"))
    await work(desk)
    assert (await shown(desk, target))["state"] == "CLOSED"
    assert await told(desk, one, "case.request_refused") == []
    await desk.process(FeedbackReopenRequested(feedback_id=one, at=RECEIVED, reason="还是坏的"))
    await work(desk)
    case = await shown(desk, target)
    assert case["state"] == "TRIAGE"
    assert [m["text"] for m in case["conversation"] if m["who"] == "another"] == [
        "根本没修",
        "还是坏的",
    ]
    await desk.do(desk.as_("coordinator"), target, "reply", text="真的好了", outcome="solved")
    await desk.do(desk.as_("coordinator"), target, "close")
    desk.clock.set(RECEIVED + timedelta(days=40))
    await desk.process(FeedbackReopenRequested(feedback_id=one, at=RECEIVED, reason="又坏了"))
    await work(desk)
    (refused,) = await told(desk, one, "case.request_refused")
    assert (refused["request"], refused["reason"]) == ("feedback.reopen_requested", "too_late")
