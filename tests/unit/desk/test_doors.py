"""Nobody stands before a closed door: what is possible besides, once something is late or over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.domain import Action, advance, allowed_actions, check
from services.desk.domain.rights import REOPEN_WITHIN, rights_of
from services.desk.domain.transitions import IllegalTransition
from shared.contracts import REPORTER
from shared.contracts import rights as contract
from shared.contracts.refusal import Conflict, Forbidden
from shared.contracts.rights import Asked
from shared.contracts.vocabulary import Clock, Role, State
from tests.unit.desk.cases import NOW, actor, case

LATE = frozenset({Clock.ACCEPT})
AFTER = NOW + REOPEN_WITHIN + timedelta(minutes=1)


@pytest.mark.parametrize("role", Role)
def test_what_nobody_signed_for_in_time_is_offered_to_whoever_may_answer(role: Role) -> None:
    who, waiting = actor(role), case(State.DISPATCHED)
    always = role in (Role.LIAISON, Role.REVIEWER)
    assert ("accept" in allowed_actions(waiting, who, NOW)) == always
    late = case(State.DISPATCHED, breached=LATE)
    assert ("accept" in allowed_actions(late, who, NOW)) == (always or role is Role.HANDLER)
    if role is Role.HANDLER:
        with pytest.raises(Forbidden):
            check(waiting, Action.ACCEPT, by=who, at=NOW)
        signed = advance(late, Action.ACCEPT, by=who, at=NOW).case
        assert signed.state is State.ACCEPTED
        assert "claim" in allowed_actions(signed, who, NOW)
        with pytest.raises(Forbidden):
            check(late, Action.ACCEPT, by=actor(role, "it"), at=NOW)
        with pytest.raises(Conflict):
            check(case(State.ACCEPTED, breached=LATE), Action.ACCEPT, by=who, at=NOW)


def test_another_promise_that_was_broken_opens_nothing() -> None:
    late = case(State.DISPATCHED, breached=frozenset({Clock.RESOLUTION, Clock.TRIAGE}))
    assert "accept" not in allowed_actions(late, actor("handler"), NOW)


@pytest.mark.parametrize("state", [State.REPLIED, State.CLOSED])
def test_too_late_to_reopen_a_leader_may_be_asked_at_once(state: State) -> None:
    one = case(state, department=None)
    for at, may in ((NOW, "reopen"), (AFTER, "appeal")):
        found = contract.allowed_actions(rights_of(one), Asked(), now=at)
        assert {"reopen", "appeal"} & set(found) == {may}
    assert advance(one, Action.APPEAL, by=REPORTER, at=AFTER).case.state is State.APPEALED
    with pytest.raises(Conflict):
        advance(one, Action.APPEAL, by=REPORTER, at=NOW)


@pytest.mark.parametrize(
    "over",
    [
        case(State.CLOSED, appeal_dismissed=True),
        case(State.MERGED, merged_into="g"),
        case(State.WITHDRAWN),
        case(State.SPAM),
        case(State.IN_PROGRESS),
        case(State.CLOSED, replied_at=None),
    ],
)
def test_nothing_else_is_opened_by_time(over: object) -> None:
    found = contract.allowed_actions(rights_of(over), Asked(), now=AFTER)  # type: ignore[arg-type]
    assert "appeal" not in found


@pytest.mark.parametrize(
    ("whole", "zh", "en"),
    [
        (case(State.MERGED, children=("a", "b")), "已拆分", "Split"),
        (case(State.MERGED, merged_into="g"), "已并案", "Joined to another"),
    ],
)
def test_what_was_split_is_not_called_joined(whole: object, zh: str, en: str) -> None:
    with pytest.raises(IllegalTransition) as refused:
        check(whole, Action.DISPATCH, by=actor("coordinator"), at=NOW)  # type: ignore[arg-type]
    assert (zh in refused.value.detail("zh"), en in refused.value.detail("en")) == (True, True)
    assert refused.value.allowed == ["unmerge"]
