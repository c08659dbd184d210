"""All (state, action) pairs, all (role, action) pairs: written out, not computed from the code."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.domain import (
    OFFERED,
    TABLE,
    Action,
    Case,
    IllegalTransition,
    Said,
    advance,
    diagram,
    permitted,
    possible,
)
from services.desk.domain.case import refuse_request, request_reopening
from shared.contracts import REPORTER, SYSTEM, Actor
from shared.contracts import desk as told
from shared.contracts.refusal import Conflict, Forbidden
from shared.contracts.vocabulary import CaseType, Outcome, Role, State

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)

EXPECTED = """
RECEIVED         open RECEIVED>TRIAGE by system
TRIAGE           dispatch >DISPATCHED by coordinator
TRIAGE           route >DISPATCHED by system
TRIAGE           reply >REPLIED by clerk coordinator
TRIAGE           reject >REJECTED by coordinator
TRIAGE           spam >SPAM by coordinator
TRIAGE           merge >MERGED by coordinator
DISPATCHED       accept >ACCEPTED by liaison
DISPATCHED       return >TRIAGE by liaison
ACCEPTED         return >TRIAGE by liaison
ACCEPTED         assign >IN_PROGRESS by liaison
ACCEPTED         claim >IN_PROGRESS by handler liaison
IN_PROGRESS      ask >WAITING_USER by handler
IN_PROGRESS      wait_external >WAITING_EXTERNAL by handler
IN_PROGRESS      submit >IN_REVIEW by handler
IN_PROGRESS      reply >REPLIED by handler reviewer
WAITING_USER     resume >IN_PROGRESS by handler
WAITING_USER     supplement >IN_PROGRESS by reporter
WAITING_USER     time_out >IN_PROGRESS by system
WAITING_EXTERNAL resume >IN_PROGRESS by handler
IN_REVIEW        send_back >IN_PROGRESS by reviewer
IN_REVIEW        approve >REPLIED by reviewer
IN_REVIEW        reply >REPLIED by handler reviewer
REPLIED          rate >CLOSED by reporter
REPLIED          fall_quiet >CLOSED by system
REPLIED          close >CLOSED by coordinator
REPLIED          request_reopening >TRIAGE by reporter
REPLIED          reopen >TRIAGE by coordinator
REPLIED          appeal >APPEALED by reporter
CLOSED           request_reopening >TRIAGE by reporter
CLOSED           reopen >TRIAGE by coordinator
CLOSED           appeal >APPEALED by reporter
REJECTED         appeal >APPEALED by reporter
APPEALED         uphold >TRIAGE by leader
APPEALED         dismiss >CLOSED by leader
"""
NOTED_IN = (
    "TRIAGE DISPATCHED ACCEPTED IN_PROGRESS WAITING_EXTERNAL WAITING_USER IN_REVIEW REPLIED "
    "APPEALED"
)
WITHDRAWN_IN = f"RECEIVED {NOTED_IN}"
ROLES: dict[str, str] = {
    "coordinator": "dispatch reply reject spam merge close reopen note",
    "leader": "uphold dismiss note",
    "admin": "",
    "auditor": "",
    "clerk": "reply note",
    "student": "",
    "liaison": "accept return assign claim note",
    "handler": "claim ask wait_external submit reply resume note",
    "reviewer": "send_back approve reply note",
    "reporter": "supplement rate request_reopening appeal withdraw",
    "system": "open route time_out fall_quiet",
}
SAID = Said(department="space", to="wang", text="好", outcome=Outcome.SOLVED, reason="x")


def expected() -> dict[tuple[State, Action], tuple[State, set[str]]]:
    moves = {}
    for line in EXPECTED.strip().splitlines():
        state, action, to, _, *who = line.split()
        moves[State(state), Action(action)] = (State(to.partition(">")[2]), set(who))
    for state in NOTED_IN.split():
        moves[State(state), Action.NOTE] = (
            State(state),
            {"coordinator", "leader", "clerk", "liaison", "handler", "reviewer"},
        )
    for state in WITHDRAWN_IN.split():
        moves[State(state), Action.WITHDRAW] = (State.WITHDRAWN, {"reporter"})
    return moves


def actor(who: str, department: str | None = "space") -> Actor:
    if who == "reporter":
        return REPORTER
    if who == "system":
        return SYSTEM
    return Actor(kind="staff", name=who, display=who, role=who, department=department)


def case(state: State, **more: object) -> Case:
    values: dict[str, object] = {
        "department": "space",
        "replied_at": NOW,
        "case_type": CaseType.INQUIRY,
    }
    return Case(feedback_id="f", state=state, **(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
def test_every_pair_is_legal_exactly_where_the_agreed_table_says(state: State) -> None:
    for action in Action:
        legal = expected().get((state, action))
        step = TABLE.get((state, action))
        assert (None if step is None else (step.to, set(step.by))) == legal, action


@pytest.mark.parametrize("who", ROLES)
def test_every_role_may_what_is_written_here_and_nothing_else(who: str) -> None:
    for action in Action:
        assert (action in permitted(who)) == (action.value in ROLES[who].split()), action


LATER = {"submit", "wait_external", "merge", "spam", "appeal", "uphold", "dismiss"} | {
    "approve",
    "send_back",
}
"""In the table already, not yet offered."""


@pytest.mark.parametrize("state", State)
def test_advance_moves_or_refuses_and_tells_one_fact(state: State) -> None:
    for action, who in itertools.product(Action, ROLES):
        move = expected().get((state, action))
        if action.value not in ROLES[who].split():
            with pytest.raises(Forbidden):
                advance(case(state), action, SAID, by=actor(who), at=NOW)
        elif move is None or who not in move[1] or action.value in LATER:
            with pytest.raises(IllegalTransition) as refused:
                advance(case(state), action, SAID, by=actor(who), at=NOW)
            assert refused.value.status == 409
            assert (refused.value.state, refused.value.action) == (state, action)
        else:
            change = advance(case(state), action, SAID, by=actor(who), at=NOW)
            assert change.case.state is move[0]
            assert len(change.events) == 1
            assert change.events[0].owner == "desk"


@pytest.mark.parametrize("role", Role)
def test_what_is_offered_can_be_done(role: Role) -> None:
    for state, name in ((s, n) for s in State for n in possible(case(s), role, NOW)):
        assert Action(name) in OFFERED
        advance(case(state), Action(name), SAID, by=actor(role), at=NOW)


def test_all_is_open_to_somebody_or_withdrawn_by_the_reporter() -> None:
    """No state is a trap: every one that has not ended has a way on."""
    ends = {State.CLOSED, State.REJECTED, State.MERGED, State.WITHDRAWN, State.SPAM}
    for state in set(State) - ends:
        assert {s.to for (a, _), s in TABLE.items() if a is state} - {state, State.WITHDRAWN}


def test_the_diagram_in_the_readme_is_the_table() -> None:
    readme = Path(__file__).parents[3] / "services" / "desk" / "README.md"
    assert f"```mermaid\n{diagram()}\n```" in readme.read_text()


def test_a_department_may_return_a_case_once() -> None:
    liaison = actor("liaison")
    returned = advance(case(State.DISPATCHED), Action.RETURN, SAID, by=liaison, at=NOW).case
    assert (returned.department, returned.returned_by) == (None, ("space",))
    sent = advance(returned, Action.DISPATCH, SAID, by=actor("coordinator"), at=NOW)
    assert sent.case.binding
    assert isinstance(sent.events[0], told.CaseDispatched)
    assert sent.events[0].previous_department == "space"
    with pytest.raises(Conflict):
        advance(sent.case, Action.RETURN, SAID, by=liaison, at=NOW)


def test_another_department_may_still_return_it_but_a_third_may_not() -> None:
    once = case(State.TRIAGE, returned_by=("it",))
    twice = case(State.TRIAGE, returned_by=("it", "office"))
    office = actor("coordinator")
    assert not advance(once, Action.DISPATCH, SAID, by=office, at=NOW).case.binding
    assert advance(twice, Action.DISPATCH, SAID, by=office, at=NOW).case.binding


@pytest.mark.parametrize(
    ("kind", "legal"),
    [(None, True), (CaseType.OTHER, True), (CaseType.INQUIRY, True)]
    + [(t, False) for t in (CaseType.COMPLAINT, CaseType.REQUEST, CaseType.SUGGESTION)],
)
def test_only_an_inquiry_is_answered_from_triage(kind: CaseType | None, legal: bool) -> None:
    matter = case(State.TRIAGE, case_type=kind)
    assert ("reply" in possible(matter, Role.COORDINATOR, NOW)) is legal


@pytest.mark.parametrize(
    ("age", "times", "state", "reason"),
    [
        (timedelta(days=15), 0, State.REPLIED, None),
        (timedelta(days=15), 1, State.CLOSED, None),
        (timedelta(days=15, seconds=1), 0, State.REPLIED, "too_late"),
        (timedelta(days=1), 2, State.REPLIED, "too_often"),
        (timedelta(days=1), 0, State.TRIAGE, "not_possible_now"),
        (timedelta(days=1), 0, State.WITHDRAWN, "not_possible_now"),
    ],
)
def test_reopening_has_a_window_and_a_limit(
    age: timedelta, times: int, state: State, reason: str | None
) -> None:
    matter = case(state, reopened=times, replied_at=NOW - age, cycle=times + 1)
    change = request_reopening(matter, "又坏了", by=REPORTER, asked=NOW, at=NOW)
    fact = change.events[0]
    if reason is None:
        assert isinstance(fact, told.CaseReopened)
        assert (fact.cycle, fact.department) == (times + 2, "space")
        assert (change.case.state, change.case.department) == (State.TRIAGE, None)
    else:
        assert isinstance(fact, told.CaseRequestRefused)
        assert fact.reason == reason
        assert change.case == matter


def test_refusing_a_request_changes_nothing() -> None:
    matter = case(State.TRIAGE)
    assert refuse_request(matter, "feedback.rated", "not_possible_now", at=NOW).case is matter


def test_every_move_makes_an_older_page_stale_but_a_note_does_not() -> None:
    matter = case(State.ACCEPTED, version=3)
    assert advance(matter, Action.CLAIM, SAID, by=actor("handler"), at=NOW).case.version == 4
    assert advance(matter, Action.NOTE, SAID, by=actor("handler"), at=NOW).case.version == 3
