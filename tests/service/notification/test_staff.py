"""Who of the staff hears what, and how."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest_asyncio

from shared.contracts import Actor
from shared.contracts.desk import CaseAssigned, CaseDispatched, CaseReturned, CaseUnassigned
from shared.contracts.intake import FeedbackUrged
from shared.contracts.routing import FeedbackTriageNeeded
from shared.contracts.sla import EscalationRaised, QuietHoursSet, SlaBreached, SlaWarned
from shared.service import Runtime
from tests.fakes.smtp import Mode, SmtpSink
from tests.service.notification.support import OWN_WORDS, Watch, a_comment, watching
from tests.support import at

NOW = at("2026-03-04 10:00")


@pytest_asyncio.fixture
async def watch(make_quiet_runtime: Callable[..., Runtime], sink: SmtpSink) -> Watch:
    watch = await watching(make_quiet_runtime, smtp=sink.url)
    watch.deps.printer.stream = io.StringIO()
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


def clock_event(event: Any, clock: str, **more: Any) -> Any:
    return event(feedback_id="f1", at=NOW, clock=clock, due=NOW, first_due=NOW, **more)


async def test_new_work_reaches_the_liaison_of_the_department(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(a_comment("f1", reachable=()), dispatched())
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it"]
    words = str(sink.received[0].message.get_content())
    assert "https://feedback.library.example/desk/cases/f1" in words
    assert OWN_WORDS[:8] in words


async def test_a_confidential_comment_shows_nothing_of_itself_in_mail(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(a_comment("f1", reachable=(), confidential=True), dispatched())
    await watch.later(seconds=1)
    assert OWN_WORDS[:8] not in str(sink.received[0].message.get_content())


async def test_who_stands_in_from_elsewhere_is_told_and_finds_the_case(
    watch: Watch, sink: SmtpSink
) -> None:
    until = at("2026-03-06 10:00")
    email = "liaison.it@library.example"
    away = {"away_until": until, "substitute": "liaison.space"}
    watch.knows("liaison.it", "liaison", "it", email=email, **away)
    await watch.process(a_comment("f1", reachable=()), dispatched())
    await watch.later(seconds=1)
    assert sorted(to(sink)) == ["liaison.it", "liaison.space"]


async def test_where_no_liaison_is_there_the_head_is_told(watch: Watch, sink: SmtpSink) -> None:
    watch.knows("liaison.it", "liaison", "it", away_until=at("2026-03-06 10:00"))
    await watch.process(a_comment("f1", reachable=()), dispatched())
    await watch.later(seconds=1)
    assert to(sink) == ["reviewer.it"]


async def test_who_did_it_is_not_told(watch: Watch, sink: SmtpSink) -> None:
    himself = Actor(kind="staff", name="handler.it", role="handler", department="it")
    await watch.process(
        CaseAssigned(feedback_id="f1", at=NOW, by=himself, department="it", to="handler.it")
    )
    assert await watch.states("f1", "staff") == []


async def test_staff_without_an_address_hear_on_the_console(watch: Watch) -> None:
    by = Actor(kind="staff", name="liaison.it", role="liaison", department="it")
    await watch.process(
        CaseAssigned(feedback_id="f1", at=NOW, by=by, department="it", to="handler.it")
    )
    assert await watch.states("f1", "staff") == [("new_work", "console", "sent")]
    assert await watch.emitted("f1") == [("notification.sent", "new_work", "console")]
    while not watch.deps.printer.stream.getvalue():  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
    assert "→ handler.it: 有一件反馈指派给您办理" in watch.deps.printer.stream.getvalue()  # type: ignore[union-attr]


async def test_who_left_is_told_nothing_more_and_the_department_takes_over(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(
        dispatched(), CaseAssigned(feedback_id="f1", at=NOW, department="it", to="handler.it")
    )
    await watch.later(seconds=1)
    sink.received.clear()
    await watch.process(
        CaseUnassigned(
            feedback_id="f1", at=NOW, department="it", previous="handler.it", reason="left"
        ),
        FeedbackUrged(feedback_id="f1", at=NOW),
    )
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it", "liaison.it"]


async def test_triage_and_returns_go_to_the_office(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(
        FeedbackTriageNeeded(
            feedback_id="f1", at=NOW, case_type="complaint", priority="P3", confidence=0.3
        )
    )
    await watch.process(
        CaseReturned(feedback_id="f1", at=NOW, department="it", reason="不归我们管")
    )
    await watch.later(seconds=1)
    assert to(sink) == ["coordinator", "coordinator"] or to(sink) == ["office", "office"]
    assert "不归我们管" in str(sink.received[1].message.get_content())


async def test_at_night_late_work_waits_for_the_morning_and_holds_up_nothing(
    watch: Watch, sink: SmtpSink
) -> None:
    told = QuietHoursSet(at=NOW, policy_version=2, starts="21:30", ends="07:45")
    watch.deps.directory.apply(told)
    night = at("2026-03-04 22:00")
    watch.clock.set(night)
    about = {"feedback_id": "f1", "at": night, "clock": "ACCEPT", "due": night, "first_due": night}
    await watch.process(
        a_comment("f1", reachable=()), SlaWarned(**about, level=75, department="it"), dispatched()
    )
    assigned = CaseAssigned(feedback_id="f1", at=night, department="it", to="handler.it")
    await watch.process(SlaBreached(**about, department="it"), assigned)
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it"]
    watch.clock.set(at("2026-03-05 07:44"))
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it"]
    watch.clock.set(at("2026-03-05 07:45"))
    await watch.later(seconds=1)
    assert to(sink)[1:] == ["liaison.it", "liaison.it"]


async def test_clocks_reach_those_who_can_still_do_something(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(dispatched(), clock_event(SlaWarned, "ACCEPT", level=75))
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.it", "liaison.it"]
    await watch.process(
        CaseAssigned(feedback_id="f1", at=NOW, department="it", to="handler.it"),
        clock_event(SlaWarned, "RESOLUTION", level=75),
        clock_event(SlaBreached, "RESOLUTION"),
        clock_event(EscalationRaised, "RESOLUTION", level=75, to_role="reviewer", department="it"),
        clock_event(EscalationRaised, "RESOLUTION", level=100, to_role="leader", department="it"),
    )
    await watch.later(seconds=1)
    assert sorted(to(sink)[2:]) == ["leader", "liaison.it", "reviewer.it"]
    states = await watch.states("f1", "staff")
    assert states.count(("warning", "console", "sent")) == 1
    assert states.count(("breach", "console", "sent")) == 1
    english = next(r for r in sink.received if r.rcpt_to == ["leader@library.example"])
    assert english.message["Subject"] == "Needs your attention: resolution"


async def test_an_urging_reporter_is_heard_by_whoever_has_the_case(
    watch: Watch, sink: SmtpSink
) -> None:
    await watch.process(dispatched(), FeedbackUrged(feedback_id="f1", at=NOW))
    await watch.later(seconds=1)
    assert [str(r.message["Subject"]) for r in sink.received] == ["有一件反馈待签收", "用户催办"]


async def test_alerts_of_long_ago_are_kept_back(watch: Watch, sink: SmtpSink) -> None:
    await watch.process(dispatched(at=at("2026-03-01 10:00")))
    await watch.later(seconds=1)
    assert sink.received == []
    assert await watch.emitted("f1") == [("notification.suppressed", "new_work", "email")]


async def test_mail_that_staff_cannot_get_is_shown_on_the_console(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.mode = Mode.REFUSE
    await watch.process(dispatched())
    await watch.later(seconds=1)
    assert await watch.states("f1", "staff") == [
        ("new_work", "email", "failed"),
        ("new_work", "console", "sent"),
    ]


async def test_who_moved_while_the_mail_was_away_is_not_told_the_department_is(
    watch: Watch, sink: SmtpSink
) -> None:
    watch.knows("handler.it", "handler", "it", email="handler.it@library.example")
    await watch.process(
        dispatched(by=Actor(kind="staff", name="liaison.it", role="liaison", department="it")),
        CaseAssigned(feedback_id="f1", at=NOW, department="it", to="handler.it"),
    )
    await watch.later(seconds=1)
    assert to(sink) == ["handler.it"]
    sink.answers["MAIL"] = "451 later"
    await watch.process(FeedbackUrged(feedback_id="f1", at=NOW))
    await watch.later(seconds=1)
    watch.knows("handler.it", "handler", "space", email="handler.it@library.example")
    sink.answers.clear()
    await watch.later(minutes=5)
    assert to(sink) == ["handler.it", "liaison.it"]
    assert ("news", "email", "suppressed") in await watch.states("f1", "staff")


async def test_a_department_that_lost_the_case_meanwhile_hears_nothing_of_it(
    watch: Watch, sink: SmtpSink
) -> None:
    sink.answers["MAIL"] = "451 later"
    await watch.process(dispatched())
    await watch.later(seconds=1)
    await watch.process(dispatched(department="space"))
    sink.answers.clear()
    await watch.later(minutes=5)
    assert to(sink) == ["liaison.space"]
