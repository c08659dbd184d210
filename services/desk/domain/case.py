"""One case as a value, and the one function that changes its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.desk.domain.table import (
    OFFERED,
    TABLE,
    Action,
    IllegalTransition,
    permitted,
)
from shared.contracts import Actor, Event
from shared.contracts import desk as told
from shared.contracts.refusal import Conflict, Forbidden, Refusal
from shared.contracts.vocabulary import CaseType, Outcome, Priority, State

REOPEN_WITHIN = timedelta(days=15)
"""Counted from the reply, not from the closing."""
REOPEN_AT_MOST = 2
RETURNS_BEFORE_ADJUDICATION = 2
CONFIDENTIAL_CATEGORY = "conduct"

TOO_LATE = "too_late"
TOO_OFTEN = "too_often"
NOT_NOW = "not_possible_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What decisions about a case depend on."""

    feedback_id: str
    state: State = State.RECEIVED
    department: str | None = None
    previous_department: str | None = None
    category: str | None = None
    case_type: CaseType | None = None
    priority: Priority | None = None
    decided: str | None = None
    confidential: bool = False
    """The reporter asked for it, or the category demands it."""
    confidence_asked: bool = False
    anonymous: bool = False
    entered_by: str | None = None
    assignee: str | None = None
    assignee_name: str | None = None
    binding: bool = False
    returned_by: tuple[str, ...] = ()
    cycle: int = 1
    reopened: int = 0
    replied_at: datetime | None = None
    waiting_since: datetime | None = None
    version: int = 0
    """Goes up whenever the matter changes under the eyes of somebody who looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came with an action."""

    department: str | None = None
    category: str | None = None
    case_type: CaseType | None = None
    priority: Priority | None = None
    decided: str = "person"
    reason: str = ""
    suggest: str | None = None
    to: str = ""
    to_display: str | None = None
    text: str = ""
    outcome: Outcome = Outcome.OTHER


@dataclass(frozen=True, slots=True)
class Change:
    """The case as it is now, and the facts to tell about it."""

    case: Case
    events: tuple[Event, ...] = ()


def who_is(by: Actor) -> str:
    """An actor as the table names them."""
    return (by.role or "") if by.kind == "staff" else by.kind


def hindrance(case: Case, action: Action, at: datetime) -> tuple[str, Refusal] | None:
    """What forbids an action that the state alone would allow: a code, and the refusal."""
    match action:
        case Action.RETURN if case.binding or case.department in case.returned_by:
            return NOT_NOW, Conflict(
                "这一件已经裁定由本部门办理，不能再退。",
                "This was decided bindingly; it cannot be returned again.",
            )
        case Action.REPLY if case.state is State.TRIAGE and case.case_type not in (
            None,
            CaseType.OTHER,
            CaseType.INQUIRY,
        ):
            return NOT_NOW, Conflict(
                "只有咨询可以直接答复；请先派单。",
                "Only an inquiry can be answered directly; dispatch it first.",
            )
        case Action.REOPEN | Action.REQUEST_REOPENING:
            if case.replied_at is None or at - case.replied_at > REOPEN_WITHIN:
                return TOO_LATE, Conflict(
                    f"答复已经超过 {REOPEN_WITHIN.days} 天，不能再重新办理。",
                    f"The reply is more than {REOPEN_WITHIN.days} days old; it cannot be reopened.",
                )
            if case.reopened >= REOPEN_AT_MOST:
                return TOO_OFTEN, Conflict(
                    f"已经重新办理过 {REOPEN_AT_MOST} 次，不能再重新办理。",
                    f"It was reopened {REOPEN_AT_MOST} times already.",
                )
    return None


def possible(case: Case, who: str, at: datetime) -> list[str]:
    """What this role could do now, in the order of the table."""
    return [
        action.value
        for action in Action
        if action in OFFERED
        and action in _DECIDE
        and (step := TABLE.get((case.state, action))) is not None
        and who in step.by
        and hindrance(case, action, at) is None
    ]


def check(case: Case, action: Action, *, by: Actor, at: datetime) -> State:
    """The state `action` leads to; raises what forbids it: `Forbidden` first, then `Conflict`."""
    who = who_is(by)
    if action not in permitted(who):
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    step = TABLE.get((case.state, action))
    if step is None or who not in step.by or action not in _DECIDE:
        raise IllegalTransition(case.state, action, possible(case, who, at))
    if (found := hindrance(case, action, at)) is not None:
        refusal = found[1]
        refusal.allowed = sorted(possible(case, who, at))
        raise refusal
    return step.to


def advance(
    case: Case, action: Action, said: Said | None = None, *, by: Actor, at: datetime
) -> Change:
    """Do `action`: checks the old state first, gives the new case and the facts to tell."""
    state = check(case, action, by=by, at=at)
    changed, event = _DECIDE[action](case, said or Said(), _Who(case.feedback_id, by, at))
    version = case.version + (action is not Action.NOTE)
    after = replace(case, state=state, version=version, **changed)
    return Change(after, (event,))


@dataclass(frozen=True, slots=True)
class _Who:
    feedback_id: str
    by: Actor
    at: datetime

    def tell(self, fact: type[Event], **values: Any) -> Event:
        return fact(feedback_id=self.feedback_id, at=self.at, by=self.by, **values)


Decided = tuple[dict[str, Any], Event]


def _open(case: Case, said: Said, who: _Who) -> Decided:
    return {}, who.tell(told.CaseOpened)


def _dispatch(case: Case, said: Said, who: _Who) -> Decided:
    """To a department that returned it once, or after two returns at all: this is the last word."""
    assert said.department is not None
    category = said.category or case.category
    binding = (
        said.department in case.returned_by or len(case.returned_by) >= RETURNS_BEFORE_ADJUDICATION
    )
    changed = {
        "department": said.department,
        "category": category,
        "case_type": said.case_type or case.case_type or CaseType.OTHER,
        "priority": said.priority or case.priority or Priority.P3,
        "decided": said.decided,
        "binding": binding,
        "confidential": is_confidential(case, category),
        "assignee": None,
        "assignee_name": None,
    }
    event = who.tell(
        told.CaseDispatched,
        department=said.department,
        category=category,
        case_type=changed["case_type"],
        priority=changed["priority"],
        decided=said.decided,
        previous_department=case.previous_department,
        binding=binding,
        confidential=changed["confidential"],
    )
    return changed, event


def _accept(case: Case, said: Said, who: _Who) -> Decided:
    return {}, who.tell(told.CaseAccepted, department=case.department)


def _give_back(case: Case, said: Said, who: _Who) -> Decided:
    department = case.department or ""
    changed = {
        "department": None,
        "previous_department": department,
        "returned_by": (*case.returned_by, department),
        "assignee": None,
        "assignee_name": None,
    }
    return changed, who.tell(
        told.CaseReturned, department=department, reason=said.reason, suggest=said.suggest
    )


def _assign(case: Case, said: Said, who: _Who) -> Decided:
    return {"assignee": said.to, "assignee_name": said.to_display}, who.tell(
        told.CaseAssigned, department=case.department, to=said.to, to_display=said.to_display
    )


def _claim(case: Case, said: Said, who: _Who) -> Decided:
    name, display = who.by.name or "", who.by.display
    return {"assignee": name, "assignee_name": display}, who.tell(
        told.CaseAssigned, department=case.department, to=name, to_display=display
    )


def _ask(case: Case, said: Said, who: _Who) -> Decided:
    return {"waiting_since": who.at}, who.tell(
        told.CaseInfoRequested, department=case.department, question=said.text
    )


def _resume(reason: str) -> Callable[[Case, Said, _Who], Decided]:
    def decide(case: Case, said: Said, who: _Who) -> Decided:
        event = who.tell(told.CaseResumed, department=case.department, reason=reason)
        return {"waiting_since": None}, event

    return decide


def _note(case: Case, said: Said, who: _Who) -> Decided:
    return {}, who.tell(told.CaseNoted, department=case.department)


def _reply(case: Case, said: Said, who: _Who) -> Decided:
    return {"replied_at": who.at}, who.tell(
        told.CaseReplied, department=case.department, text=said.text, outcome=said.outcome
    )


def _reject(case: Case, said: Said, who: _Who) -> Decided:
    return {}, who.tell(told.CaseRejected, reason=said.reason)


def _close(how: str) -> Callable[[Case, Said, _Who], Decided]:
    def decide(case: Case, said: Said, who: _Who) -> Decided:
        return {}, who.tell(told.CaseClosed, how=how, department=case.department)

    return decide


def _reopen(case: Case, said: Said, who: _Who) -> Decided:
    """Back to triage: whoever had it is remembered, but no longer has it."""
    cycle = case.cycle + 1
    changed = {
        "department": None,
        "previous_department": case.department or case.previous_department,
        "assignee": None,
        "assignee_name": None,
        "cycle": cycle,
        "reopened": case.reopened + 1,
        "binding": False,
    }
    event = who.tell(told.CaseReopened, reason=said.reason, cycle=cycle, department=case.department)
    return changed, event


def _withdraw(case: Case, said: Said, who: _Who) -> Decided:
    return {"waiting_since": None}, who.tell(told.CaseWithdrawn)


_DECIDE: dict[Action, Callable[[Case, Said, _Who], Decided]] = {
    Action.OPEN: _open,
    Action.DISPATCH: _dispatch,
    Action.ROUTE: _dispatch,
    Action.ACCEPT: _accept,
    Action.RETURN: _give_back,
    Action.ASSIGN: _assign,
    Action.CLAIM: _claim,
    Action.ASK: _ask,
    Action.RESUME: _resume("staff"),
    Action.SUPPLEMENT: _resume("supplied"),
    Action.TIME_OUT: _resume("timeout"),
    Action.NOTE: _note,
    Action.REPLY: _reply,
    Action.REJECT: _reject,
    Action.CLOSE: _close("staff"),
    Action.RATE: _close("rated"),
    Action.FALL_QUIET: _close("quiet"),
    Action.REOPEN: _reopen,
    Action.REQUEST_REOPENING: _reopen,
    Action.WITHDRAW: _withdraw,
}


def is_confidential(case: Case, category: str | None) -> bool:
    """Asked for by the reporter, or demanded by the category."""
    return case.confidence_asked or category == CONFIDENTIAL_CATEGORY


def refuse_request(case: Case, request: str, reason: str, *, at: datetime) -> Change:
    """Say that what the reporter asked for changed nothing, and why."""
    event = told.CaseRequestRefused(
        feedback_id=case.feedback_id, at=at, request=request, reason=reason
    )
    return Change(case, (event,))


def request_reopening(
    case: Case, reason: str, *, by: Actor, asked: datetime, at: datetime
) -> Change:
    """Reopen if the reporter asked in time and not too often; the moment of asking counts."""
    action = Action.REQUEST_REOPENING
    kind = "feedback.reopen_requested"
    step = TABLE.get((case.state, action))
    if step is None:
        return refuse_request(case, kind, NOT_NOW, at=at)
    if (found := hindrance(case, action, asked)) is not None:
        return refuse_request(case, kind, found[0], at=at)
    changed, event = _reopen(case, Said(reason=reason), _Who(case.feedback_id, by, at))
    return Change(replace(case, state=step.to, version=case.version + 1, **changed), (event,))
