"""Who is told what, and when it is too late for it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notification import domain
from services.notification.domain import Case, Contact, IllegalMove, State, move, notices
from shared.contracts import Actor, desk, intake, routing, sla
from shared.contracts.sla import QuietHoursSet
from shared.contracts.vocabulary import Priority, Role
from tests.fakes.promises import Promises
from tests.support import at

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
ALLOWED = {
    "awaiting_contact": "ready suppressed failed sent uncertain",
    "ready": "sending suppressed failed sent uncertain",
    "retry": "sending suppressed failed sent uncertain",
    "sending": "sent retry failed uncertain",
    "uncertain": "sent failed ready",
    "failed": "sent ready",
    "sent": "",
    "suppressed": "",
}


class Staff:
    """The people of a small library."""

    def __init__(self, *people: tuple[str, str, str | None], **away: str | None) -> None:
        self._people, self._away = people, away

    def staff(
        self, *, role: str | None = None, department: str | None = None, present: bool = False
    ) -> list[str]:
        return [
            name
            for name, r, d in self._people
            if role in (None, r)
            and department in (None, d)
            and not (present and name in self._away and self._away[name] is None)
        ]

    def substitute(self, name: str) -> str | None:
        return self._away.get(name)


PEOPLE = Staff(
    ("office", "coordinator", None),
    ("boss", "leader", None),
    ("lia", "liaison", "it"),
    ("han", "handler", "it"),
    ("rev", "reviewer", "it"),
    ("revspace", "reviewer", "space"),
)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_delivery_moves_only_as_the_table_says(before: State, after: State) -> None:
    if after in ALLOWED[before].split():
        assert move(before, after) is after
    else:
        with pytest.raises(IllegalMove):
            move(before, after)


def recipients(
    event: object, case: Case | None = None, people: Staff = PEOPLE
) -> set[tuple[str, str]]:
    before = case or Case()
    after = domain.advance(before, event)  # type: ignore[arg-type]
    found = notices(event, before, after, people)  # type: ignore[arg-type]
    return {(n.kind, n.recipient.removeprefix("staff:")) for n in found}


def clock(one: type[sla.ClockEvent], name: str, **more: object) -> sla.ClockEvent:
    return one.model_validate(
        {"feedback_id": "f", "at": NOW, "clock": name, "due": NOW, "first_due": NOW} | more
    )


AT_IT = Case(department="it", handler="han")


@pytest.mark.parametrize(
    ("event", "case", "who"),
    [
        (clock(sla.SlaWarned, "TRIAGE", level=75), Case(), {"office"}),
        (clock(sla.SlaWarned, "ACCEPT", level=75, department="it"), Case(), {"lia"}),
        (clock(sla.SlaWarned, "RESOLUTION", level=75), AT_IT, {"han"}),
        (clock(sla.SlaWarned, "RESOLUTION", level=75), Case(department="it"), {"lia"}),
        (clock(sla.SlaWarned, "REVIEW", level=75), AT_IT, {"rev"}),
        (clock(sla.SlaWarned, "APPEAL", level=75), AT_IT, {"boss"}),
        (clock(sla.SlaWarned, "FOLLOW_UP", level=75), AT_IT, set()),
        (clock(sla.SlaBreached, "FIRST_RESPONSE"), AT_IT, {"han", "lia"}),
        (clock(sla.SlaBreached, "RESOLUTION"), AT_IT, {"han", "lia", "reporter"}),
        (
            clock(sla.EscalationRaised, "RESOLUTION", level=75, to_role="reviewer"),
            AT_IT,
            {"rev"},
        ),
        (clock(sla.EscalationRaised, "RESOLUTION", level=100, to_role="leader"), AT_IT, {"boss"}),
        (
            clock(sla.EscalationRaised, "RESOLUTION", level=75, to_role="reviewer"),
            Case(department="events"),
            {"office"},
        ),
    ],
)
def test_a_clock_speaks_to_those_who_can_act(
    event: sla.ClockEvent, case: Case, who: set[str]
) -> None:
    assert {name for _, name in recipients(event, case)} == who


def test_a_department_without_a_liaison_is_reached_through_its_head_or_the_office() -> None:
    def dispatched(department: str) -> desk.CaseDispatched:
        return desk.CaseDispatched(
            feedback_id="f",
            at=NOW,
            department=department,
            case_type="request",
            priority="P3",
            decided="rule",
        )

    assert recipients(dispatched("space")) == {("new_work", "revspace")}
    assert recipients(dispatched("events")) == {("new_work", "office")}


def test_nobody_hears_what_they_did_themselves() -> None:
    me = Actor(kind="staff", name="office", role="coordinator")
    returned = desk.CaseReturned(feedback_id="f", at=NOW, by=me, department="it", reason="?")
    assert recipients(returned, AT_IT) == set()


def test_the_reporter_hears_what_matters_and_nothing_else() -> None:
    quiet: list[object] = [
        desk.CaseOpened(feedback_id="f", at=NOW),
        desk.CaseAccepted(feedback_id="f", at=NOW, department="it"),
        desk.CaseClosed(feedback_id="f", at=NOW, how="rated"),
        desk.CaseWithdrawn(feedback_id="f", at=NOW),
        clock(sla.SlaWarned, "RESOLUTION", level=75),
        clock(sla.SlaBreached, "TRIAGE"),
        intake.FeedbackUrged(feedback_id="f", at=NOW),
    ]
    for event in quiet:
        assert "reporter" not in {who for _, who in recipients(event, AT_IT)}


def test_a_promise_nobody_has_read_yet_may_move_in_silence() -> None:
    moved = Promises("f").change("moved", "RESOLUTION", NOW, at=NOW)
    assert recipients(moved, Case(due=NOW - timedelta(days=1))) == set()
    assert recipients(moved, Case(announced_due=NOW - timedelta(days=1))) == {("delay", "reporter")}
    assert recipients(moved, Case(announced_due=NOW + timedelta(days=1))) == set()


def test_a_date_that_reads_the_same_has_not_moved() -> None:
    read, same = NOW + timedelta(seconds=5), NOW + timedelta(seconds=55)
    for due, told in ((same, False), (NOW + timedelta(seconds=61), True)):
        moved = Promises("f").change("moved", "RESOLUTION", due, at=NOW)
        own = recipients(moved, Case(announced_due=read))
        assert own == ({("delay", "reporter")} if told else set())
        # Of a case that theirs was joined to, also by the time that its reporter was asked.
        follower, target = Case(into="f", announced_due=read), Case(due=due)
        for change in ("moved", "resumed"):
            event = Promises("f").change(change, "RESOLUTION", due, at=NOW)
            notice = domain.notice_of_date(event, target, follower, of="f")
            assert (notice is not None) is told
        waiting = {"was": read.isoformat(), "due": due.isoformat()}
        assert (domain.as_it_is_now("delay", waiting, follower, target) is not None) is told
        merged = domain.as_it_is_now("merged", waiting, follower, target)
        assert merged is not None
        assert ("due" in merged) is told


def test_an_emergency_begins_with_no_word_that_it_takes_longer() -> None:
    event = Promises("f").change("moved", "RESOLUTION", NOW + timedelta(minutes=2), at=NOW)
    read = Case(announced_due=NOW)
    urgent = event.model_copy(update={"priority": Priority.P1})
    assert recipients(event, read) == {("delay", "reporter")}
    assert recipients(urgent, read) == set()
    # Of one that was urgent already a later date is news.
    known = read.model_copy(update={"urgent": True})
    assert recipients(urgent, known) == {("delay", "reporter")}


def test_days_the_reporter_was_asked_are_no_delay() -> None:
    later = NOW + timedelta(days=2)
    resumed = Promises("f").change("resumed", "RESOLUTION", later, at=NOW)
    again = Promises("f").change("moved", "RESOLUTION", later, at=NOW)
    case = domain.advance(Case(announced_due=NOW), resumed)
    assert recipients(again, case) == set()
    both = again.model_copy(update={"changes": again.changes + resumed.changes})
    assert recipients(both, Case(announced_due=NOW)) == set()


def test_what_happens_to_other_clocks_is_no_news_of_the_answer() -> None:
    case = Case(due=NOW, announced_due=NOW - timedelta(days=1))
    ended = Promises("f").change("met", "TRIAGE", NOW, at=NOW)
    assert recipients(ended, case) == set()
    assert domain.advance(case, ended) == case


@pytest.mark.parametrize(
    ("came_by", "ways"),
    [
        ("web", ["email", "wechat"]),
        ("desk", ["email", "wechat"]),
        ("wechat", ["wechat", "email"]),
    ],
)
def test_a_reply_goes_back_the_way_the_comment_came(came_by: str, ways: list[str]) -> None:
    assert domain.channels(Case(channel=came_by), Contact(email="a@b.cn", openid="o1")) == ways
    assert domain.channels(Case(channel=came_by), Contact()) == []


def test_first_repeats_come_within_seconds_and_a_receiver_is_tried_for_days() -> None:
    def wait(attempts: int, **more: object) -> float | None:
        at = domain.next_try(
            attempts=attempts,
            first_tried_at=more.get("first", NOW),  # type: ignore[arg-type]
            after=more.get("after"),  # type: ignore[arg-type]
            now=NOW,
        )
        return None if at is None else (at - NOW).total_seconds()

    assert [wait(n) for n in range(1, 11)] == [
        *(2, 6, 18, 54, 162, 486, 1458, 4374),
        *(7200, 7200),
    ]
    assert wait(1, after=timedelta(hours=3)) == 3 * 3600
    assert wait(60, first=NOW - timedelta(days=4, hours=21)) == 7200
    assert wait(60, first=NOW - timedelta(days=4, hours=23)) is None
    assert wait(10_000) == 7200


def test_a_transport_that_is_away_is_tried_ever_more_rarely_but_every_five_minutes() -> None:
    now, outage, waits = NOW, None, []
    for _ in range(8):
        outage = domain.prolong(outage, "smtp_550", after=None, now=now)
        waits.append((outage.until - now).total_seconds())
        # What was under way when it began says nothing new.
        assert domain.prolong(outage, "smtp_421", after=None, now=now) == outage
        now = outage.until
    assert waits == [2, 6, 18, 54, 162, 300, 300, 300]
    assert outage is not None
    assert outage.since == NOW
    asked = domain.prolong(outage, "wechat_http_503", after=timedelta(hours=1), now=now)
    assert asked.until == now + timedelta(hours=1)


@pytest.mark.parametrize(
    ("handler", "who"),
    [("han", {"han"}), ("moved", {"lia"}), ("left", {"lia"}), ("office", {"office"})],
)
def test_who_moved_or_left_is_not_told_the_department_is(handler: str, who: set[str]) -> None:
    class Moving(Staff):
        def staff(self, **wanted: Any) -> list[str]:
            return [n for n in super().staff(**wanted) if n != "left"]

    people = Moving(*PEOPLE._people, ("moved", "handler", "space"), ("left", "handler", "it"))
    case = Case(department="it", handler=handler)
    events = [
        intake.FeedbackUrged(feedback_id="f", at=NOW),
        intake.FeedbackSupplemented(feedback_id="f", at=NOW, text="?", words_id="w"),
        desk.CaseWordsOwed(feedback_id="f", at=NOW, state="REPLIED", origin="g"),
        clock(sla.SlaWarned, "RESOLUTION", level=75),
        desk.CaseAssigned(feedback_id="f", at=NOW, department="it", to=handler),
    ]
    for event in events:
        found = notices(event, case, domain.advance(case, event), people)
        assert {n.staff for n in found} == who


@pytest.mark.parametrize("decided", [desk.CaseExtensionRefused, desk.CaseExtensionGranted])
def test_who_asked_for_more_time_hears_what_came_of_it(decided: Any) -> None:
    people = Staff(*PEOPLE._people, ("han2", "handler", "it"))
    me = Actor(kind="staff", name="han2", role="handler")
    words = {
        "feedback_id": "f",
        "at": NOW,
        "department": "it",
        "reason": "?",
        "state": "IN_PROGRESS",
    }
    until = NOW + timedelta(days=1)
    case = Case(department="it", handler="han")
    case = domain.advance(case, desk.CaseExtensionAsked(**words, until=until, by=me))
    event = decided(**words, **({"until": until} if decided is desk.CaseExtensionGranted else {}))
    assert recipients(event, case, people) == {("news", "han"), ("news", "han2")}


def test_a_case_whose_handler_is_gone_is_put_before_the_department() -> None:
    event = desk.CaseUnassigned(
        feedback_id="f", at=NOW, department="it", previous="han", reason="left"
    )
    assert recipients(event, AT_IT) == {("new_work", "lia")}
    assert domain.advance(AT_IT, event).handler is None


def test_who_stands_in_is_told_what_the_absent_are_told() -> None:
    away = Staff(*PEOPLE._people, han="lia")
    urged = intake.FeedbackUrged(feedback_id="f", at=NOW)
    assert recipients(urged, AT_IT, away) == {("news", "han"), ("news", "lia")}


def test_a_department_without_a_present_liaison_signs_through_its_head() -> None:
    dispatched = desk.CaseDispatched(
        feedback_id="f", at=NOW, department="it", case_type="inquiry", priority="P3", decided="rule"
    )
    nobody = Staff(*PEOPLE._people, lia=None)
    assert recipients(dispatched, people=nobody) == {("new_work", "rev")}
    someone = Staff(*PEOPLE._people, lia="han")
    assert recipients(dispatched, people=someone) == {("new_work", "lia"), ("new_work", "han")}
    none_at_all = Staff(*PEOPLE._people, lia=None, rev=None)
    assert recipients(dispatched, people=none_at_all) == {("new_work", "office")}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("department", ["it", "space", None])
def test_only_who_finds_the_case_at_the_desk_is_told_of_it(
    role: Role, department: str | None
) -> None:
    seen = domain.may_open([role], department, Case(department="it"))
    everywhere = role in ("coordinator", "leader", "auditor")
    here = role in ("liaison", "handler", "reviewer") and department == "it"
    assert seen == (everywhere or here)


def test_receipts_and_alerts_grow_stale_and_words_of_people_never() -> None:
    old = NOW - timedelta(hours=25)
    assert domain.is_stale("receipt", old, NOW)
    assert domain.is_stale("new_work", old, NOW)
    assert not domain.is_stale("delay", old, NOW)
    assert not domain.is_stale("reply", NOW - timedelta(days=400), NOW)
    assert not domain.is_stale("receipt", NOW + timedelta(days=3), NOW)


def test_a_receipt_waits_for_a_settled_promise_but_not_for_long() -> None:
    waiting, settled = Case(), Case(sorted=True, due=NOW)
    hour = timedelta(hours=1)
    assert domain.send_after("receipt", waiting, NOW, NOW) == NOW + timedelta(seconds=10)
    assert domain.send_after("receipt", settled, NOW, NOW) == NOW + timedelta(seconds=1)
    assert domain.send_after("receipt", settled, NOW, NOW + hour) == NOW + hour
    assert domain.send_after("reply", waiting, NOW, NOW) == NOW


@pytest.mark.parametrize(
    ("when", "goes_out"),
    [
        ("2026-03-04 20:59", "2026-03-04 20:59"),
        ("2026-03-04 21:00", "2026-03-05 07:30"),
        ("2026-03-05 02:00", "2026-03-05 07:30"),
        ("2026-03-05 07:30", "2026-03-05 07:30"),
    ],
)
def test_that_work_is_late_is_told_by_day_unless_it_is_urgent(when: str, goes_out: str) -> None:
    for kind in ("warning", "breach", "escalation", "delay"):
        assert domain.send_after(kind, Case(), at(when), at(when)) == at(goes_out)
        assert domain.send_after(kind, Case(urgent=True), at(when), at(when)) == at(when)
    assert domain.send_after("reply", Case(), at(when), at(when)) == at(when)


@pytest.mark.parametrize(
    ("hours", "when", "goes_out"),
    [
        (("22:30", "07:00"), "2026-03-04 22:29", "2026-03-04 22:29"),
        (("22:30", "07:00"), "2026-03-04 22:30", "2026-03-05 07:00"),
        (("22:30", "07:00"), "2026-03-05 06:59", "2026-03-05 07:00"),
        (("00:00", "06:00"), "2026-03-05 05:00", "2026-03-05 06:00"),
        (("00:00", "06:00"), "2026-03-05 23:59", "2026-03-05 23:59"),
        (("12:00", "12:00"), "2026-03-05 12:00", "2026-03-05 12:00"),
    ],
)
def test_quiet_hours_are_those_that_were_published(
    hours: tuple[str, str], when: str, goes_out: str
) -> None:
    given = {"at": NOW, "policy_version": 2}
    told = QuietHoursSet(**given, starts=hours[0], ends=hours[1])
    own = QuietHoursSet(**given, starts="21:00", ends="07:30", p1_starts=hours[0], p1_ends=hours[1])
    for case, published in ((Case(), told), (Case(urgent=True), own)):
        quiet = domain.quiet_hours(published)
        assert domain.send_after("breach", case, NOW, at(when), quiet) == at(goes_out)
    assert domain.send_after(
        "breach", Case(urgent=True), NOW, at(when), domain.quiet_hours(told)
    ) == at(when)


def test_spellings_of_one_mailbox_count_as_one() -> None:
    assert domain.plain_address(" A+x@B.cn") == domain.plain_address("a@b.CN") == "a@b.cn"


def test_our_own_domain_is_no_contact() -> None:
    assert domain.is_own_address("Help@Library.Example.", "library.example")
    assert not domain.is_own_address("a@notlibrary.example", "library.example")


def test_a_delivery_has_the_same_name_whenever_it_is_planned() -> None:
    assert domain.delivery_id("e1", "reporter") == domain.delivery_id("e1", "reporter")
    assert len({domain.delivery_id(e, r, n) for e in "ab" for r in "cd" for n in (0, 1)}) == 8


def test_routing_decisions_settle_the_case() -> None:
    decision = routing.FeedbackTriageNeeded(
        feedback_id="f", at=NOW, case_type="other", priority="P3", confidence=0.1
    )
    assert domain.advance(Case(), decision).sorted
    assert recipients(decision) == {("new_work", "office")}


@pytest.mark.parametrize(
    ("more", "whose"),
    [
        ({"department": "it"}, "it"),
        # The office, of which no department's name stands in the letter.
        ({"direct": True}, None),
        ({"department": "it", "direct": True, "incident_id": "i"}, None),
    ],
)
def test_a_reply_names_who_answered(more: dict[str, object], whose: str | None) -> None:
    words = {"feedback_id": "f", "at": NOW, "text": "修好了。", "outcome": "solved"}
    event = desk.CaseReplied.model_validate(words | more)
    (notice,) = [n for n in notices(event, AT_IT, AT_IT, PEOPLE) if n.kind == "reply"]
    assert notice.params["department"] == whose
