"""Who of the staff hears what, and how."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest_asyncio

from shared.contracts import Actor
from shared.contracts.desk import (
    CaseAssigned,
    CaseDepartmentAdded,
    CaseDepartmentRemoved,
    CaseDispatched,
    CaseNoted,
    CaseRecalled,
    CaseReplySubmitted,
    CaseReturned,
    CaseUnassigned,
)
from shared.contracts.intake import FeedbackSupplemented, FeedbackUrged
from shared.contracts.routing import FeedbackTriageNeeded
from shared.contracts.sla import EscalationRaised, QuietHoursSet, SlaBreached, SlaWarned
from shared.contracts.vocabulary import State
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


OFFICE = Actor(kind="staff", name="coordinator", role="coordinator", department="relations")


def assigned(to: str = "ann.it", **more: Any) -> CaseAssigned:
    return CaseAssigned(feedback_id="f1", at=NOW, department="it", to=to, **more)


async def working(watch: Watch, sink: SmtpSink, **more: Any) -> None:
    """A case that ann of it works on, and nothing of it on its way any more."""
    watch.knows("ann.it", "handler", "it", email="ann.it@library.example", **more)
    watch.knows("second", "coordinator", "relations", email="second@library.example")
    await watch.process(a_comment("f1", reachable=()), dispatched(), assigned())
    await watch.later(seconds=1)
    sink.received.clear()


async def test_from_whom_a_case_is_fetched_back_hears_it_and_nobody_else(
    watch: Watch, sink: SmtpSink
) -> None:
    await working(watch, sink)
    await watch.process(
        CaseRecalled(feedback_id="f1", at=NOW, by=OFFICE, department="it", reason="派错了")
    )
    await watch.later(seconds=1)
    assert sorted(to(sink)) == ["ann.it", "liaison.it"]
    for received in sink.received:
        words = str(received.message.get_content())
        assert "不用再办" in words
        assert "派错了" in words
        assert "/desk/cases/" not in words
        assert "收到：03-04 10:00" in words


async def test_what_was_on_its_way_when_a_case_was_fetched_back_is_no_news_to_the_office(
    watch: Watch, sink: SmtpSink
) -> None:
    watch.knows("second", "coordinator", "relations", email="second@library.example")
    await watch.process(
        a_comment("f1", reachable=()),
        dispatched(by=OFFICE),
        CaseRecalled(feedback_id="f1", at=NOW, by=OFFICE, department="it", reason="派错了"),
    )
    await watch.later(seconds=1)
    # Who has not heard of the case yet need not hear that it is theirs no more.
    assert to(sink) == []


async def test_who_had_it_hears_that_another_department_has_it_now(
    watch: Watch, sink: SmtpSink
) -> None:
    await working(watch, sink)
    again = dispatched(department="space", previous_department="it", again=True, reason="归空间管")
    await watch.process(again.model_copy(update={"by": OFFICE}))
    await watch.later(seconds=1)
    told = {r.rcpt_to[0].partition("@")[0]: str(r.message.get_content()) for r in sink.received}
    assert sorted(told) == ["ann.it", "liaison.it", "liaison.space"]
    assert "/desk/cases/" not in told["ann.it"] + told["liaison.it"]
    assert "归空间管" in told["ann.it"]
    assert "/desk/cases/f1" in told["liaison.space"]


async def test_who_is_told_that_work_is_nearly_late_is_not_told_twice_in_a_second(
    watch: Watch, sink: SmtpSink
) -> None:
    raised = clock_event(EscalationRaised, "TRIAGE", level=50, to_role="reviewer")
    again = clock_event(EscalationRaised, "TRIAGE", level=200, to_role="reviewer")
    await watch.process(
        a_comment("f1", reachable=()),
        clock_event(SlaWarned, "TRIAGE", level=50),
        raised,
        again.model_copy(update={"at": NOW + timedelta(hours=1)}),
    )
    kinds = [kind for kind, *_ in await watch.states("f1", "staff")]
    assert kinds == ["warning", "escalation"]


async def test_a_department_hears_that_its_part_is_taken_away(watch: Watch, sink: SmtpSink) -> None:
    await working(watch, sink)
    part: dict[str, Any] = {"feedback_id": "f1", "at": NOW, "by": OFFICE, "department": "space"}
    part["state"] = State.IN_PROGRESS
    await watch.process(CaseDepartmentAdded(**part, question="还有座位吗"))
    await watch.later(seconds=1)
    await watch.process(CaseDepartmentRemoved(**part))
    await watch.later(seconds=1)
    assert to(sink) == ["liaison.space", "liaison.space"]
    last = sink.received[-1].message
    assert last["subject"] == "请你们协办的一件反馈，现在不用你们办了"
    assert "/desk/cases/" not in str(last.get_content())


async def test_where_nobody_stands_in_the_entrance_hears_of_it_as_well(
    watch: Watch, sink: SmtpSink
) -> None:
    away = {"away_until": at("2026-03-06 10:00")}
    await working(watch, sink, **away)
    await watch.process(FeedbackUrged(feedback_id="f1", at=NOW))
    await watch.later(seconds=1)
    told = {r.rcpt_to[0].partition("@")[0]: str(r.message.get_content()) for r in sink.received}
    assert sorted(told) == ["ann.it", "liaison.it"]
    assert "没有人代理" in told["liaison.it"]
    assert "没有人代理" not in told["ann.it"]

    sink.received.clear()
    watch.knows("reviewer.it", "reviewer", "it", email="reviewer.it@library.example", **away)
    handler = Actor(kind="staff", name="ann.it", role="handler", department="it")
    said: dict[str, Any] = {"text": "好了", "outcome": "solved", "department": "it"}
    await watch.process(CaseReplySubmitted(feedback_id="f1", at=NOW, by=handler, **said))
    await watch.later(seconds=1)
    assert sorted(to(sink)) == ["liaison.it", "reviewer.it"]

    # A word to a person is for that person.
    sink.received.clear()
    note: dict[str, Any] = {"text": "请看", "mentions": ("ann.it",), "state": State.IN_REVIEW}
    await watch.process(CaseNoted(feedback_id="f1", at=NOW, by=OFFICE, **note))
    await watch.later(seconds=1)
    assert to(sink) == ["ann.it"]


async def test_who_has_somebody_to_stand_in_needs_no_entrance(watch: Watch, sink: SmtpSink) -> None:
    watch.knows("zhao", "handler", "it", email="zhao@library.example")
    await working(watch, sink, away_until=at("2026-03-06 10:00"), substitute="zhao")
    await watch.process(FeedbackUrged(feedback_id="f1", at=NOW))
    await watch.later(seconds=1)
    assert sorted(to(sink)) == ["ann.it", "zhao"]


async def test_much_that_is_said_in_a_short_time_is_two_letters_and_thanks_are_none(
    watch: Watch, sink: SmtpSink
) -> None:
    await working(watch, sink)

    def words(n: int, **more: Any) -> FeedbackSupplemented:
        return FeedbackSupplemented(
            feedback_id="f1", at=watch.clock.now(), text=f"还有 {n}", words_id=f"w{n}", **more
        )

    await watch.process(words(0, thanks=True))
    await watch.later(seconds=1)
    assert to(sink) == []
    for n in range(20):
        await watch.process(words(n + 1))
        await watch.later(seconds=2)
    assert to(sink) == ["ann.it"], "the first at once"
    # What is held for more words holds up nothing else.
    await watch.process(FeedbackUrged(feedback_id="f1", at=watch.clock.now()))
    await watch.later(seconds=1)
    assert to(sink) == ["ann.it", "ann.it"]
    await watch.later(minutes=5)
    assert to(sink) == ["ann.it"] * 3, "the others together"
    await watch.later(minutes=6)
    await watch.process(words(30))
    await watch.later(seconds=1)
    assert to(sink) == ["ann.it"] * 4
