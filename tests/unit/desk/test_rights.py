"""What a reporter may do: decided by desk, and repeated while desk has not answered yet."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.desk.domain import (
    DECIDE,
    TRANSITIONS,
    Case,
    advance,
    rights_of,
)
from services.intake.handlers import HANDLERS
from shared.contracts.desk import CaseEvent
from shared.contracts.refusal import Conflict
from shared.contracts.rights import Asked, ReporterAction, Rights, allowed_actions, refusal
from shared.contracts.vocabulary import CaseType, State
from tests.unit.desk.cases import GIVEN, actor, ready_for

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
NEW = Case(feedback_id="f", state=State.TRIAGE, case_type=CaseType.INQUIRY)
REPLIED = Case(feedback_id="f", state=State.REPLIED, department="space", replied_at=NOW)
CLOSED = replace(REPLIED, state=State.CLOSED)
JOINED = replace(REPLIED, state=State.MERGED, merged_into="g")


@pytest.mark.parametrize(
    ("case", "allowed"),
    [
        (Case(feedback_id="f"), "supplement urge withdraw"),
        (NEW, "supplement urge withdraw"),
        (replace(NEW, state=State.WAITING_USER), "supplement urge withdraw"),
        (REPLIED, "supplement rate reopen withdraw"),
        (replace(REPLIED, rated=True), "supplement reopen withdraw"),
        (replace(REPLIED, reopened=1), "supplement rate reopen withdraw appeal"),
        (replace(REPLIED, reopened=2), "supplement rate withdraw appeal"),
        (replace(REPLIED, reopened=2, appeal_dismissed=True), "supplement rate withdraw"),
        (replace(REPLIED, reopening_refused=True), "supplement rate reopen withdraw appeal"),
        (replace(REPLIED, replied_at=NOW - timedelta(days=15)), "supplement rate reopen withdraw"),
        (replace(REPLIED, replied_at=NOW - timedelta(days=16)), "supplement rate withdraw appeal"),
        (CLOSED, "rate reopen"),
        (replace(CLOSED, rated=True), "reopen"),
        (replace(NEW, state=State.REJECTED), "supplement appeal"),
        (replace(NEW, state=State.REJECTED, appeal_dismissed=True), "supplement"),
        (JOINED, "supplement rate reopen withdraw"),
        (replace(JOINED, rated=True), "supplement reopen withdraw"),
        (replace(JOINED, replied_at=None), "supplement withdraw"),
        *((replace(NEW, state=s), "") for s in (State.SPAM, State.MERGED, State.WITHDRAWN)),
    ],
)
def test_what_a_reporter_may_do(case: Case, allowed: str) -> None:
    assert allowed_actions(rights_of(case), Asked(), now=NOW) == allowed.split()


@pytest.mark.parametrize(
    ("case", "left"),
    [
        (CLOSED, None),
        (replace(CLOSED, appeal_dismissed=True), 2),
        (replace(CLOSED, reopened=1, appeal_dismissed=True), 1),
        (replace(CLOSED, reopened=2, appeal_dismissed=True), None),
        (replace(NEW, state=State.REJECTED, appeal_dismissed=True), None),
    ],
)
def test_how_often_is_said_where_a_leader_let_an_answer_stand(case: Case, left: int | None) -> None:
    assert rights_of(case).reopen_left == left


def test_a_new_case_has_the_rights_that_are_assumed_before_desk_speaks() -> None:
    assert rights_of(Case(feedback_id="f")) == rights_of(NEW) == Rights()


@pytest.mark.parametrize(
    ("asked", "case", "allowed"),
    [
        ("feedback.rated", REPLIED, "supplement reopen withdraw"),
        ("feedback.rated", CLOSED, "reopen"),
        ("feedback.reopen_requested", REPLIED, "supplement urge withdraw"),
        ("feedback.reopen_requested", CLOSED, "supplement urge"),
        # The case that it was joined to is worked on by others, who have been told.
        ("feedback.reopen_requested", JOINED, "supplement withdraw"),
        ("feedback.withdrawn", REPLIED, ""),
        ("feedback.urged", NEW, "supplement withdraw"),
    ],
)
def test_what_was_asked_for_counts_before_desk_has_answered(
    asked: str, case: Case, allowed: str
) -> None:
    pending = Asked().after(asked, NOW)
    assert allowed_actions(rights_of(case), pending, now=NOW) == allowed.split()


def test_an_answer_is_the_end_of_a_request() -> None:
    asked = Asked().after("feedback.reopen_requested", NOW).after("feedback.rated", NOW)
    assert asked.after("case.noted", NOW) == asked
    assert asked.after("case.closed", NOW).pending == ("reopen", "rate")
    refused = asked.after("case.request_refused", NOW, "feedback.reopen_requested")
    assert refused.pending == ("rate",)
    assert asked.after("case.reopened", NOW).pending == ()
    assert asked.after("case.replied", NOW).pending == ("reopen",)


def test_urging_is_once_an_hour_and_anew_after_a_reopening() -> None:
    asked = Asked().after("feedback.urged", NOW)
    almost, hour = NOW + timedelta(minutes=59), NOW + timedelta(hours=1)
    assert refusal(ReporterAction.URGE, Rights(), asked, now=almost) == "too_soon"
    assert refusal(ReporterAction.URGE, Rights(), asked, now=hour) is None
    reopened = asked.after("case.reopened", almost)
    assert refusal(ReporterAction.URGE, Rights(), reopened, now=almost) is None


def test_intake_takes_every_event_after_which_rights_differ() -> None:
    """It passes over the others, and so must miss nothing by that."""
    for state, action in TRANSITIONS:
        for reopened, who in itertools.product((0, 1), TRANSITIONS[state, action].by):
            case = replace(ready_for(state, action, who), reopened=reopened)
            if state not in (State.REPLIED, State.CLOSED):
                case = replace(case, replied_at=None, words_owed_since=None)
            if action in DECIDE:
                try:
                    change = advance(case, action, GIVEN, by=actor(who), at=NOW)
                except Conflict:
                    continue
                for event in change.events:
                    assert isinstance(event, CaseEvent)
                    assert event.state is change.case.state
                    assert event.rights == rights_of(change.case)
                    if type(event) not in HANDLERS:
                        assert rights_of(change.case) == rights_of(case), event.type
