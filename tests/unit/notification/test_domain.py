"""Who is told what, and when it is too late for it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from services.notification import domain
from services.notification.domain import Case, Contact, IllegalMove, State, move, notices
from shared.contracts import Actor, desk, intake, routing, sla

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
ALLOWED = {
    "awaiting_contact": "ready suppressed failed sent",
    "ready": "sending suppressed failed sent",
    "retry": "sending suppressed failed sent",
    "sending": "sent retry failed uncertain",
    "uncertain": "sent failed ready",
    "failed": "sent ready",
    "sent": "",
    "suppressed": "",
}


class Staff:
    """The people of a small library."""

    def __init__(self, *people: tuple[str, str, str | None]) -> None:
        self._people = people

    def staff(self, *, role: str | None = None, department: str | None = None) -> list[str]:
        return [
            name for name, r, d in self._people if role in (None, r) and department in (None, d)
        ]


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


def told(event: object, case: Case | None = None) -> set[tuple[str, str]]:
    before = case or Case()
    after = domain.advance(before, event)  # type: ignore[arg-type]
    found = notices(event, before, after, PEOPLE)  # type: ignore[arg-type]
    return {(n.kind, n.recipient.removeprefix("staff:")) for n in found}


def clock(fact: type[sla.ClockFact], name: str, **more: object) -> sla.ClockFact:
    return fact.model_validate(
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
    event: sla.ClockFact, case: Case, who: set[str]
) -> None:
    assert {name for _, name in told(event, case)} == who


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

    assert told(dispatched("space")) == {("new_work", "revspace")}
    assert told(dispatched("events")) == {("new_work", "office")}


def test_nobody_hears_what_they_did_themselves() -> None:
    me = Actor(kind="staff", name="office", role="coordinator")
    returned = desk.CaseReturned(feedback_id="f", at=NOW, by=me, department="it", reason="?")
    assert told(returned, AT_IT) == set()


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
        assert "reporter" not in {who for _, who in told(event, AT_IT)}


def test_a_promise_nobody_has_read_yet_may_move_in_silence() -> None:
    moved = clock(sla.SlaPromised, "RESOLUTION", started=NOW, priority="P3")
    assert told(moved, Case(due=NOW - timedelta(days=1))) == set()
    assert told(moved, Case(told_due=NOW - timedelta(days=1))) == {("delay", "reporter")}
    assert told(moved, Case(told_due=NOW + timedelta(days=1))) == set()


def test_days_the_reporter_was_asked_are_no_delay() -> None:
    later = NOW + timedelta(days=2)
    case = domain.advance(
        Case(told_due=NOW), clock(sla.SlaResumed, "RESOLUTION", due=later.isoformat())
    )
    again = clock(sla.SlaPromised, "RESOLUTION", due=later.isoformat(), started=NOW, priority="P3")
    assert told(again, case) == set()


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


def test_waits_double_to_an_hour_and_end_after_eight_tries_or_a_day() -> None:
    def wait(attempts: int, **more: object) -> float | None:
        at = domain.next_try(
            attempts=attempts,
            first_tried_at=more.get("first", NOW),  # type: ignore[arg-type]
            after=more.get("after"),  # type: ignore[arg-type]
            now=NOW,
        )
        return None if at is None else (at - NOW).total_seconds()

    waits = [wait(n) for n in range(1, 9)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, None]
    assert wait(1, after=timedelta(hours=3)) == 3 * 3600
    assert wait(2, first=NOW - timedelta(hours=24)) is None


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
    assert told(decision) == {("new_work", "office")}
