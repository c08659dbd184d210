"""What a reporter's words make of a case, and what a leader says to an appeal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.desk.domain.actions import Action
from services.desk.domain.case import ActionInput, Case
from services.desk.domain.deciding import Decide, Decision, decided, new_cycle, over
from services.desk.domain.department import resume
from services.desk.domain.office import close, restore
from shared.contracts import Actor
from shared.contracts.desk import (
    CaseAppealDismissed,
    CaseAppealed,
    CaseAppealUpheld,
    CaseWithdrawn,
)
from shared.contracts.vocabulary import State


def _supplement(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """The answer to a question, to a rejection, or words after the reply, which are owed one."""
    match case.state:
        case State.WAITING_USER:
            return resume("supplied")(case, given, by, at)
        case State.REJECTED:
            return restore(case, given, by, at)
        case State.MERGED:
            # The words go on to the case it was joined to, and are owed an answer there.
            return Decision({})
        case _:
            return Decision({"words_owed_since": case.words_owed_since or at})


def _rate(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Ends the follow-up; of a case that has ended already it only is the rating."""
    if case.state in (State.CLOSED, State.MERGED):
        return Decision({"rated": True})
    closed = close("rated")(case, given, by, at)
    return Decision(closed.changed | {"rated": True}, closed.told)


def _withdraw(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseWithdrawn, over(case))


def _appeal(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseAppealed,
        {"words_owed_since": None},
        previous=case.state,
        department=case.department,
        reason=given.reason,
    )


def _uphold(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseAppealUpheld,
        new_cycle(case),
        reason=given.reason,
        words_id=given.words_id,
        cycle=case.cycle + 1,
        department=case.department,
    )


def _dismiss(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """What was refused is refused from now on: it may be restored for as long as then."""
    ended = {"ended_at": at} if case.ended_at is not None else {}
    return decided(
        CaseAppealDismissed,
        over(case) | ended | {"appeal_dismissed": True},
        reason=given.reason,
        words_id=given.words_id,
        department=case.department,
    )


DECIDE: Mapping[Action, Decide] = {
    Action.SUPPLEMENT: _supplement,
    Action.RATE: _rate,
    Action.WITHDRAW: _withdraw,
    Action.APPEAL: _appeal,
    Action.UPHOLD: _uphold,
    Action.DISMISS: _dismiss,
}
