"""Who of the staff hears what, and how."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio

from shared.contracts import Actor
from shared.contracts.desk import CaseAssigned, CaseDispatched, CaseReturned
from shared.contracts.intake import FeedbackUrged
from shared.contracts.routing import FeedbackTriageNeeded
from shared.contracts.sla import EscalationRaised, SlaBreached, SlaWarned
from shared.service import House
from tests.fakes.smtp import Mode, SmtpSink, smtp_sink
from tests.service.notification.support import OWN_WORDS, Watch, a_comment, watching
from tests.support import at

NOW = at("2026-03-04 10:00")


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


@pytest_asyncio.fixture
async def watch(make_quiet_house: Callable[..., House], sink: SmtpSink) -> Watch:
    watch = await watching(make_quiet_house, smtp=sink.url)
    watch.tools.printer._stream = io.StringIO()
    watch.knows("coordinator", "coordinator", "relations", email="office@library.example")
    watch.knows("leader", "leader", locale="en", email="leader@library.example")
    watch.knows("liaison.it", "liaison", "it", email="liaison.it@library.example")
    watch.knows("handler.it", "handler", "it")
    watch.knows("reviewer.it", "reviewer", "it", email="reviewer.it@library.example")
    watch.knows("liaison.space", "liaison", "space", email="liaison.space@library.example")
    return watch


def to(sink: SmtpSink) -> list[str]:
    return [r.rcpt_to[0].partition("@")[0] for r in sink.received]


def dispatched(**more: Any) -> CaseDispatched:
    values: dict[str, Any] = {
        "feedback_id": "f1",
        "at": NOW,
        "department": "it",
        "case_type": "complaint",
        "priority": "P2",
        "decided": "rule",
    }
    return CaseDispatched(**(values | more))


def clock_fact(fact: Any, clock: str, **more: Any) -> Any:
    return fact(feedback_id="f1", at=NOW, clock=clock, due=NOW, first_due=NOW, **more)


async def test_new_work_reaches_the_liaison_of_the_department(watch: Watch, sink: SmtpSink) -> None:
    await watch.hears(a_comment("f1", reachable=()), dispatched())
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it"]
    words = str(sink.received[0].message.get_content())
    assert "https://feedback.library.example/desk/cases/f1" in words
    assert OWN_WORDS[:8] in words


async def test_a_confidential_comment_shows_nothing_of_itself_in_mail(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.hears(a_comment("f1", reachable=(), confidential=True), dispatched())
    await watch.later(seconds=1)
    assert OWN_WORDS[:8] not in str(sink.received[0].message.get_content())


async def test_who_did_it_is_not_told(watch: Watch, sink: SmtpSink) -> None:
    himself = Actor(kind="staff", name="handler.it", role="handler", department="it")
    await watch.hears(
        CaseAssigned(feedback_id="f1", at=NOW, by=himself, department="it", to="handler.it")
    )
    assert await watch.states("f1", "staff") == []


async def test_staff_without_an_address_hear_on_the_console(watch: Watch) -> None:
    by = Actor(kind="staff", name="liaison.it", role="liaison", department="it")
    await watch.hears(
        CaseAssigned(feedback_id="f1", at=NOW, by=by, department="it", to="handler.it")
    )
    assert await watch.states("f1", "staff") == [("new_work", "console", "sent")]
    assert await watch.told("f1") == [("notification.sent", "new_work", "console")]
    while not watch.tools.printer._stream.getvalue():  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
    assert "→ handler.it: 有一件反馈指派给您办理" in watch.tools.printer._stream.getvalue()  # type: ignore[union-attr]


async def test_triage_and_returns_go_to_the_office(watch: Watch, sink: SmtpSink) -> None:
    await watch.hears(
        FeedbackTriageNeeded(
            feedback_id="f1", at=NOW, case_type="complaint", priority="P3", confidence=0.3
        )
    )
    await watch.hears(CaseReturned(feedback_id="f1", at=NOW, department="it", reason="不归我们管"))
    await watch.later(seconds=1)
    assert to(sink) == ["coordinator", "coordinator"] or to(sink) == ["office", "office"]
    assert "不归我们管" in str(sink.received[1].message.get_content())


async def test_clocks_reach_those_who_can_still_do_something(watch: Watch, sink: SmtpSink) -> None:
    await watch.hears(dispatched(), clock_fact(SlaWarned, "ACCEPT", level=75))
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it", "liaison.it"]
    await watch.hears(
        CaseAssigned(feedback_id="f1", at=NOW, department="it", to="handler.it"),
        clock_fact(SlaWarned, "RESOLUTION", level=75),
        clock_fact(SlaBreached, "RESOLUTION"),
        clock_fact(EscalationRaised, "RESOLUTION", level=75, to_role="reviewer", department="it"),
        clock_fact(EscalationRaised, "RESOLUTION", level=100, to_role="leader", department="it"),
    )
    await watch.later(seconds=1)
    assert sorted(to(sink)[2:]) == ["leader", "liaison.it", "reviewer.it"]
    states = await watch.states("f1", "staff")
    assert states.count(("warning", "console", "sent")) == 1
    assert states.count(("breach", "console", "sent")) == 1
    english = next(r for r in sink.received if r.rcpt_to == ["leader@library.example"])
    assert english.message["Subject"] == "Needs your attention: the answer"


async def test_an_urging_reporter_is_heard_by_whoever_has_the_case(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.hears(dispatched(), FeedbackUrged(feedback_id="f1", at=NOW))
    await watch.later(seconds=1)
    assert [str(r.message["Subject"]) for r in sink.received] == ["有一件反馈待签收", "用户催办"]


async def test_alerts_of_long_ago_are_kept_back(watch: Watch, sink: SmtpSink) -> None:
    await watch.hears(dispatched(at=at("2026-03-01 10:00")))
    await watch.later(seconds=1)
    assert sink.received == []
    assert await watch.told("f1") == [("notification.suppressed", "new_work", "email")]


async def test_mail_that_staff_cannot_get_is_shown_on_the_console(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.REFUSE
    await watch.hears(dispatched())
    await watch.later(seconds=1)
    assert await watch.states("f1", "staff") == [
        ("new_work", "email", "failed"),
        ("new_work", "console", "sent"),
    ]
