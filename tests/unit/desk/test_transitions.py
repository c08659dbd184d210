"""All (state, action) pairs, all (role, action) pairs: written out, not computed from the code."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from services.desk.domain import (
    DECIDE,
    OFFERED,
    PERMISSIONS,
    TRANSITIONS,
    Action,
    ActionInput,
    IllegalTransition,
    advance,
    allowed_actions,
    check,
    diagram,
    guard,
    permitted,
    refuse_request,
    request_reopening,
)
from shared.contracts import REPORTER
from shared.contracts.desk import (
    CaseDispatched,
    CaseProgressed,
    CaseReopened,
    CaseRequestRefused,
    CaseRestored,
    CaseUnassigned,
)
from shared.contracts.refusal import Conflict, Forbidden
from shared.contracts.vocabulary import CaseType, Role, State
from tests.unit.desk.cases import GIVEN, NOW, actor, case, ready_for

GROUPS = {
    "department": "DISPATCHED ACCEPTED IN_PROGRESS WAITING_USER WAITING_EXTERNAL IN_REVIEW",
    "active": "TRIAGE DISPATCHED ACCEPTED IN_PROGRESS WAITING_USER WAITING_EXTERNAL IN_REVIEW",
    "worked_on": "IN_PROGRESS WAITING_USER WAITING_EXTERNAL",
    "waiting": "WAITING_USER WAITING_EXTERNAL",
    "answered": "REPLIED CLOSED",
    "unended": "RECEIVED TRIAGE DISPATCHED ACCEPTED IN_PROGRESS WAITING_USER WAITING_EXTERNAL "
    "IN_REVIEW REPLIED APPEALED",
}
WRITERS = "clerk coordinator handler leader liaison reviewer"
# State or group, action, next state (= stays), who.
EXPECTED = """
RECEIVED         open              TRIAGE           system
active           dispatch          DISPATCHED       coordinator
TRIAGE           route             DISPATCHED       system
department       recall            TRIAGE           coordinator
active           correct           =                coordinator
TRIAGE           reply             REPLIED          clerk coordinator
TRIAGE           reject            REJECTED         coordinator
TRIAGE           spam              SPAM             coordinator
REJECTED         restore           TRIAGE           coordinator
SPAM             restore           TRIAGE           coordinator
CLOSED           restore           TRIAGE           coordinator
active           merge             MERGED           coordinator
MERGED           unmerge           TRIAGE           coordinator system
MERGED           supplement        =                reporter
MERGED           rate              =                reporter
MERGED           request_reopening =                reporter
MERGED           withdraw          WITHDRAWN        reporter
active           split             MERGED           coordinator
active           link              =                coordinator
active           unlink            =                coordinator
active           join              =                coordinator reporter
active           leave             =                coordinator
active           answer_incident   REPLIED          coordinator
TRIAGE           add_department    =                coordinator
TRIAGE           remove_department =                coordinator
department       add_department    =                coordinator liaison
department       remove_department =                coordinator liaison
active           supervise         =                coordinator leader
active           confirm_alarm     =                coordinator leader
active           dismiss_alarm     =                coordinator leader
active           repeat_alarm      =                system
DISPATCHED       accept            ACCEPTED         liaison reviewer
DISPATCHED       return            TRIAGE           liaison reviewer
ACCEPTED         return            TRIAGE           liaison reviewer
IN_PROGRESS      return            TRIAGE           liaison reviewer
ACCEPTED         assign            IN_PROGRESS      liaison reviewer
ACCEPTED         claim             IN_PROGRESS      handler reviewer
worked_on        assign            =                handler liaison reviewer
worked_on        claim             =                handler reviewer
IN_PROGRESS      unassign          ACCEPTED         liaison reviewer system
waiting          unassign          =                liaison reviewer system
IN_REVIEW        unassign          =                liaison reviewer system
REPLIED          unassign          =                liaison reviewer system
worked_on        progress          =                handler reviewer
IN_PROGRESS      ask               WAITING_USER     handler reviewer
WAITING_USER     supplement        IN_PROGRESS      reporter
IN_PROGRESS      wait              WAITING_EXTERNAL handler reviewer
waiting          resume            IN_PROGRESS      handler reviewer
waiting          time_out          IN_PROGRESS      system
department       extend            =                handler reviewer
department       grant_extension   =                reviewer
department       refuse_extension  =                reviewer
active           finish_part       =                handler liaison reviewer
department       explain_breach    =                handler liaison reviewer
answered         explain_breach    =                handler liaison reviewer
IN_PROGRESS      submit            IN_REVIEW        handler reviewer
IN_REVIEW        send_back         IN_PROGRESS      reviewer
IN_REVIEW        approve           REPLIED          reviewer
IN_PROGRESS      reply             REPLIED          handler reviewer
REPLIED          supplement        =                reporter
REPLIED          reply             =                coordinator handler reviewer
REPLIED          progress          =                coordinator handler reviewer
REPLIED          amend             =                coordinator handler reviewer
REPLIED          rate              CLOSED           reporter
REPLIED          fall_quiet        CLOSED           system
REPLIED          close             CLOSED           coordinator
answered         follow_up         CLOSED           coordinator
CLOSED           rate              =                reporter
answered         request_reopening TRIAGE           reporter
answered         reopen            TRIAGE           coordinator
REJECTED         supplement        TRIAGE           reporter
answered         appeal            APPEALED         reporter
REJECTED         appeal            APPEALED         reporter
APPEALED         uphold            TRIAGE           leader
APPEALED         dismiss           CLOSED           leader
unended          withdraw          WITHDRAWN        reporter
active           note              =                writers
REPLIED          note              =                writers
APPEALED         note              =                writers
"""
ROLES: dict[str, str] = {
    "coordinator": "dispatch recall correct reply reject spam restore merge unmerge split link "
    "unlink join leave answer_incident add_department remove_department supervise "
    "progress amend close follow_up reopen confirm_alarm dismiss_alarm note",
    "leader": "supervise uphold dismiss confirm_alarm dismiss_alarm note",
    "admin": "",
    "auditor": "",
    "clerk": "reply note",
    "student": "",
    "liaison": "accept return assign unassign add_department remove_department finish_part "
    "explain_breach note",
    "handler": "claim assign progress ask wait resume extend finish_part explain_breach submit "
    "reply amend note",
    "reviewer": "accept return assign unassign claim progress ask wait resume extend "
    "grant_extension refuse_extension finish_part explain_breach submit "
    "send_back approve reply amend note",
    "reporter": "supplement rate request_reopening appeal withdraw join",
    "system": "open route time_out fall_quiet unassign unmerge repeat_alarm",
}


@cache
def expected() -> dict[tuple[State, Action], tuple[State, set[str]]]:
    moves = {}
    for line in EXPECTED.strip().splitlines():
        states, action, to, *who = line.replace("writers", WRITERS).split()
        for state in GROUPS.get(states, states).split():
            moves[State(state), Action(action)] = (State(state if to == "=" else to), set(who))
    return moves


@pytest.mark.parametrize("state", State)
def test_every_pair_is_legal_exactly_where_the_agreed_table_says(state: State) -> None:
    for action in Action:
        legal = expected().get((state, action))
        step = TRANSITIONS.get((state, action))
        assert (None if step is None else (step.to, set(step.by))) == legal, action


@pytest.mark.parametrize("who", ROLES)
def test_every_role_may_what_is_written_here_and_nothing_else(who: str) -> None:
    for action in Action:
        assert (action in permitted(who)) == (action.value in ROLES[who].split()), action


LATER: set[str] = set()
"""In the table already, not yet offered."""
SILENT = {
    (State.REPLIED, Action.SUPPLEMENT),
    (State.CLOSED, Action.RATE),
    (State.MERGED, Action.SUPPLEMENT),
    (State.MERGED, Action.RATE),
    (State.MERGED, Action.REQUEST_REOPENING),
}
"""What the reporter's own event says already."""


def test_the_permission_table_names_everybody_and_nothing_that_leads_nowhere() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    for who, actions in PERMISSIONS.items():
        reachable = {action for (_, action), step in TRANSITIONS.items() if who in step.by}
        assert actions == reachable, who


def test_words_after_a_reply_are_owed_an_answer() -> None:
    replied = case(State.REPLIED)
    owed = advance(replied, Action.SUPPLEMENT, GIVEN, by=REPORTER, at=NOW).case
    assert owed.words_owed_since == NOW
    for action, who in ((Action.CLOSE, "coordinator"), (Action.FALL_QUIET, "system")):
        assert guard(replied, action, actor(who), NOW) is None
        with pytest.raises(Conflict):
            advance(owed, action, GIVEN, by=actor(who), at=NOW)
    for who, action in itertools.product(
        ("handler", "reviewer", "coordinator"), (Action.REPLY, Action.PROGRESS)
    ):
        with pytest.raises(Conflict):
            advance(replied, action, GIVEN, by=actor(who), at=NOW)
        answered = advance(owed, action, GIVEN, by=actor(who), at=NOW).case
        assert (answered.state, answered.words_owed_since) == (State.REPLIED, None)
    for action in (Action.RATE, Action.REQUEST_REOPENING, Action.WITHDRAW):
        assert advance(owed, action, GIVEN, by=REPORTER, at=NOW).case.words_owed_since is None


def test_a_reply_is_added_to_by_whoever_may_publish_one() -> None:
    replied, handler, head = case(State.REPLIED), actor("handler"), actor("reviewer")
    added = advance(replied, Action.AMEND, GIVEN, by=handler, at=NOW)
    assert (added.case.state, added.case.replied_at) == (State.REPLIED, replied.replied_at)
    assert [type(event) for event in added.events] == [CaseProgressed]
    # What the reporter said since is answered, not added to.
    assert guard(replace(replied, words_owed_since=NOW), Action.AMEND, head, NOW)
    read = replace(replied, needs_review=True)
    assert guard(read, Action.AMEND, handler, NOW)
    assert guard(read, Action.AMEND, head, NOW) is None


def test_what_is_said_after_a_reply_that_was_read_is_answered_by_who_may_read_it() -> None:
    owed = case(State.REPLIED, words_owed_since=NOW, needs_review=True)
    assert guard(owed, Action.REPLY, actor("handler"), NOW)
    assert guard(owed, Action.PROGRESS, actor("handler"), NOW) is None
    assert guard(owed, Action.REPLY, actor("reviewer"), NOW) is None
    # Nor does who handles it speak unread in the place of a head.
    head = actor("reviewer")
    own = replace(owed, assignee=head.name)
    assert guard(own, Action.REPLY, head, NOW)
    answered = replace(own, words_owed_since=None)
    assert guard(answered, Action.AMEND, head, NOW)
    # What is refused names only what they may do instead.
    said = guard(answered, Action.REPLY, head, NOW)
    assert said is not None
    assert "请负责人或办公室来" in said[0]
    said = guard(replace(answered, assignee=None), Action.REPLY, head, NOW)
    assert said is not None
    assert "可以补充或更正答复" in said[0]


def test_more_words_do_not_make_the_first_ones_wait_anew() -> None:
    later = NOW + timedelta(hours=1)
    owed = case(State.REPLIED, words_owed_since=NOW)
    after = advance(owed, Action.SUPPLEMENT, GIVEN, by=REPORTER, at=later).case
    assert after.words_owed_since == NOW


def test_words_after_a_rejection_bring_it_back_without_counting_as_a_reopening() -> None:
    rejected = case(State.REJECTED, department=None, replied_at=None)
    change = advance(rejected, Action.SUPPLEMENT, GIVEN, by=REPORTER, at=NOW)
    assert (change.case.state, change.case.reopened, change.case.cycle) == (State.TRIAGE, 0, 2)
    assert isinstance(change.events[0], CaseRestored)


def test_who_puts_a_case_back_leaves_what_waits_waiting() -> None:
    liaison = actor("liaison")
    for state, after in (
        (State.IN_PROGRESS, State.ACCEPTED),
        (State.WAITING_USER, State.WAITING_USER),
    ):
        put_back = advance(
            case(state, assignee="li"), Action.UNASSIGN, ActionInput(), by=liaison, at=NOW
        )
        assert (put_back.case.state, put_back.case.assignee) == (after, None)
        assert put_back.case.department == "space"
        assert isinstance(put_back.events[0], CaseUnassigned)
        assert (put_back.events[0].previous, put_back.events[0].reason) == ("li", "staff")


@pytest.mark.parametrize("state", State)
def test_advance_moves_or_refuses_and_says_so_by_events(state: State) -> None:
    """Every (state, action, role)."""
    for action, who in itertools.product(Action, ROLES):
        move = expected().get((state, action))
        matter = ready_for(state, action, who)
        if action.value not in ROLES[who].split():
            with pytest.raises(Forbidden):
                advance(matter, action, GIVEN, by=actor(who), at=NOW)
        elif move is None or who not in move[1] or action.value in LATER:
            with pytest.raises(IllegalTransition) as refused:
                advance(matter, action, GIVEN, by=actor(who), at=NOW)
            assert refused.value.status == 409
            assert (refused.value.state, refused.value.action) == (state, action)
            assert refused.value.allowed == sorted(allowed_actions(matter, actor(who), NOW))
        else:
            change = advance(matter, action, GIVEN, by=actor(who), at=NOW)
            assert change.case.state is move[0]
            assert bool(change.events) == ((state, action) not in SILENT)
            assert all(event.owner == "desk" for event in change.events)
            assert {event.state for event in change.events} <= {move[0]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", Role)
def test_what_is_offered_can_be_done(role: Role) -> None:
    for state, action in TRANSITIONS:
        matter = ready_for(state, action, role)
        for name in allowed_actions(matter, actor(role), NOW):
            assert Action(name) in OFFERED
            check(matter, Action(name), by=actor(role), at=NOW)
        if action in OFFERED and role in TRANSITIONS[state, action].by:
            assert action in allowed_actions(matter, actor(role), NOW)


def reachable() -> set[State]:
    """By what the code can do today, from the first moment of a case."""
    found = {State.RECEIVED}
    while True:
        more = {t.to for (s, a), t in TRANSITIONS.items() if s in found and a in DECIDE} - found
        if not more:
            return found
        found |= more


def test_no_state_without_a_way_in_and_no_action_that_can_never_succeed() -> None:
    assert set(State) - reachable() == ({State.MERGED} if LATER else set())
    assert set(Action) - set(DECIDE) == {Action(name) for name in LATER}
    for action in OFFERED:
        assert any(
            a is action and s in reachable() and t.by & set(Role)
            for (s, a), t in TRANSITIONS.items()
        ), action


def test_all_is_open_to_somebody_or_withdrawn_by_the_reporter() -> None:
    """No state is a trap: every one that has not ended has a way on."""
    ends = {State.CLOSED, State.REJECTED, State.MERGED, State.WITHDRAWN, State.SPAM}
    for state in set(State) - ends:
        assert {s.to for (a, _), s in TRANSITIONS.items() if a is state} - {state, State.WITHDRAWN}


def test_the_diagram_in_the_readme_is_the_table() -> None:
    readme = Path(__file__).parents[3] / "services" / "desk" / "README.md"
    assert f"```mermaid\n{diagram()}\n```" in readme.read_text()


def test_a_department_may_return_a_case_once() -> None:
    liaison = actor("liaison")
    returned = advance(case(State.DISPATCHED), Action.RETURN, GIVEN, by=liaison, at=NOW).case
    assert (returned.department, returned.returned_by) == (None, ("space",))
    again = replace(GIVEN, department="space")
    sent = advance(returned, Action.DISPATCH, again, by=actor("coordinator"), at=NOW)
    assert sent.case.binding
    assert isinstance(sent.events[0], CaseDispatched)
    assert sent.events[0].previous_department == "space"
    with pytest.raises(Conflict):
        advance(sent.case, Action.RETURN, GIVEN, by=liaison, at=NOW)


def test_another_department_may_still_return_it_but_a_third_may_not() -> None:
    once = case(State.TRIAGE, returned_by=("it",))
    twice = case(State.TRIAGE, returned_by=("it", "office"))
    office = actor("coordinator")
    other = replace(GIVEN, department="events")
    assert not advance(once, Action.DISPATCH, other, by=office, at=NOW).case.binding
    assert advance(once, Action.DISPATCH, GIVEN, by=office, at=NOW).case.binding
    assert advance(twice, Action.DISPATCH, GIVEN, by=office, at=NOW).case.binding


@pytest.mark.parametrize(
    ("kind", "inquiry"),
    [(None, True), (CaseType.OTHER, True), (CaseType.INQUIRY, True)]
    + [(t, False) for t in (CaseType.COMPLAINT, CaseType.REQUEST, CaseType.SUGGESTION)],
)
def test_a_desk_answers_inquiries_and_the_office_what_it_can(
    kind: CaseType | None, inquiry: bool
) -> None:
    matter = case(State.TRIAGE, case_type=kind)
    assert ("reply" in allowed_actions(matter, actor("clerk"), NOW)) is inquiry
    assert "reply" in allowed_actions(matter, actor("coordinator"), NOW)


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
    emitted = change.events[0]
    if reason is None:
        assert isinstance(emitted, CaseReopened)
        assert (emitted.cycle, emitted.department) == (times + 2, "space")
        assert (change.case.state, change.case.department) == (State.TRIAGE, None)
    else:
        assert isinstance(emitted, CaseRequestRefused)
        assert emitted.reason == reason
        asked_again = reason != "not_possible_now"
        assert change.case == replace(matter, reopening_refused=asked_again)
        assert emitted.rights.appeal == (asked_again and state is not State.WITHDRAWN)


def test_refusing_a_request_changes_nothing() -> None:
    matter = case(State.TRIAGE)
    assert refuse_request(matter, "feedback.rated", "not_possible_now", at=NOW).case is matter


def test_every_move_makes_an_older_page_stale_but_a_note_does_not() -> None:
    matter = case(State.ACCEPTED, version=3)
    assert advance(matter, Action.CLAIM, GIVEN, by=actor("handler"), at=NOW).case.version == 4
    assert advance(matter, Action.NOTE, GIVEN, by=actor("handler"), at=NOW).case.version == 3
