"""What ends with an answer or with the case, and what a rejection is after its appeal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.desk.domain import (
    Action,
    ActionInput,
    Case,
    Part,
    advance,
    allowed_actions,
    rights_of,
)
from services.desk.domain.hints import without_them
from services.desk.wording import sentence
from shared.contracts import SYSTEM
from shared.contracts.desk import CaseDepartmentRemoved
from shared.contracts.refusal import Conflict
from shared.contracts.rights import CaseStanding
from shared.contracts.vocabulary import State
from tests.unit.desk.cases import GIVEN, NOW, actor, case

PARTS = (Part(department="it", question="?"), Part(department="events", question="?", text="好"))


@pytest.mark.parametrize(
    ("state", "action", "who"),
    [
        (State.IN_PROGRESS, Action.REPLY, "handler"),
        (State.TRIAGE, Action.REPLY, "coordinator"),
        (State.TRIAGE, Action.REJECT, "coordinator"),
        (State.TRIAGE, Action.SPAM, "coordinator"),
        (State.ACCEPTED, Action.MERGE, "coordinator"),
        (State.ACCEPTED, Action.SPLIT, "coordinator"),
        (State.ACCEPTED, Action.WITHDRAW, "reporter"),
        (State.WAITING_USER, Action.ANSWER_INCIDENT, "coordinator"),
    ],
)
def test_an_answer_and_every_end_is_the_end_of_a_part_that_nobody_has_done(
    state: State, action: Action, who: str
) -> None:
    before = replace(case(state), parts=PARTS, incident_id="i")
    assert before.open_parts == ("it",)
    change = advance(before, action, GIVEN, by=actor(who), at=NOW)
    assert change.case.open_parts == ()
    (over,) = [e for e in change.events if isinstance(e, CaseDepartmentRemoved)]
    assert (over.department, over.reason, over.state) == ("it", "not_needed", change.case.state)
    assert change.events[-1] is over
    assert [p.department for p in change.case.parts] == ["it", "events"]


def test_what_does_not_answer_leaves_the_parts_open() -> None:
    before = replace(case(State.IN_PROGRESS), parts=PARTS)
    for action in (Action.PROGRESS, Action.WAIT):
        change = advance(before, action, GIVEN, by=actor("handler"), at=NOW)
        assert change.case.open_parts == ("it",)
        assert len(change.events) == 1


def test_whoever_writes_a_reply_is_told_who_has_not_answered() -> None:
    assert without_them([]) == []
    ((code, zh, en),) = without_them(["空间部", "信息系统部"])
    assert code == "parts"
    assert "空间部、信息系统部" in zh
    assert "not answered yet" in en


def test_the_timeline_tells_a_part_taken_away_from_one_that_is_not_needed() -> None:
    said = {
        sentence("case.department_removed", {"department": "it", "reason": reason}, str, locale)
        for reason in (None, "not_needed")
        for locale in ("zh", "en")
    }
    assert len(said) == 4


def dismissed(**more: object) -> Case:
    rejected = advance(
        case(State.TRIAGE, replied_at=None, **more),
        Action.REJECT,
        ActionInput(reason="不归我们"),
        by=actor("coordinator"),
        at=NOW - timedelta(days=40),
    ).case
    appealed = advance(rejected, Action.APPEAL, GIVEN, by=actor("reporter"), at=NOW).case
    return advance(appealed, Action.DISMISS, GIVEN, by=actor("leader"), at=NOW).case


@pytest.mark.parametrize(
    "more", [{}, {"replied_at": NOW - timedelta(days=1), "reopened": 1}], ids=["new", "reopened"]
)
def test_a_dismissed_appeal_leaves_a_rejection(more: dict[str, object]) -> None:
    """Also of what had been answered before it was reopened: that answer counts no more."""
    matter = replace(dismissed(), **more)  # type: ignore[arg-type]
    rights = rights_of(matter)
    assert matter.state is State.CLOSED
    assert (rights.standing, rights.appeal_dismissed) == (CaseStanding.REJECTED, True)
    assert not (rights.answered or rights.rate or rights.reopen_until or rights.appeal)
    office = actor("coordinator")
    assert allowed_actions(matter, office, NOW) == ["restore"]
    restored = advance(matter, Action.RESTORE, GIVEN, by=office, at=NOW + timedelta(days=30)).case
    assert restored.state is State.TRIAGE
    assert not (restored.was_rejected or restored.appeal_dismissed)
    with pytest.raises(Conflict, match="30 days"):
        advance(matter, Action.RESTORE, GIVEN, by=office, at=NOW + timedelta(days=31))


def test_what_was_answered_is_followed_up_and_reopened_and_not_restored() -> None:
    answered = case(State.CLOSED, appeal_dismissed=True, reopened=1)
    office = actor("coordinator")
    assert set(allowed_actions(answered, office, NOW)) == {"follow_up", "reopen"}
    with pytest.raises(Conflict, match="reopened"):
        advance(answered, Action.RESTORE, GIVEN, by=office, at=NOW)
    assert rights_of(answered).standing is CaseStanding.ANSWERED


@pytest.mark.parametrize(
    ("matter", "standing", "answered"),
    [
        (case(State.REPLIED), "answered", True),
        (case(State.REJECTED), "rejected", False),
        (case(State.SPAM), "spam", False),
        (case(State.WITHDRAWN), "withdrawn", False),
        (case(State.MERGED, merged_into="g"), "joined", True),
        (case(State.MERGED, merged_into="g", replied_at=None), "joined", False),
        (case(State.MERGED, children=("a", "b"), replied_at=None), "split", False),
        (case(State.MERGED, merged_into="g", parent="g", replied_at=None), "put_back", False),
        (case(State.TRIAGE), "open", False),
    ],
)
def test_rights_say_what_they_rest_on(matter: Case, standing: str, answered: bool) -> None:
    rights = rights_of(matter)
    assert (rights.standing, rights.answered) == (standing, answered)


def test_nothing_is_closed_by_itself_that_was_never_answered() -> None:
    with pytest.raises(Conflict):
        advance(dismissed(), Action.FALL_QUIET, by=SYSTEM, at=NOW)
