"""What the office decides: where a case goes, what it is about, how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.desk.domain.actions import Action
from services.desk.domain.case import (
    ActionInput,
    Alarm,
    Case,
    Part,
    is_confidential,
)
from services.desk.domain.deciding import (
    Decide,
    Decision,
    decided,
    new_cycle,
    out_of_hands,
    over,
    to_triage,
    wrong,
)
from services.desk.domain.guards import RETURNS_BEFORE_ADJUDICATION
from shared.contracts import Actor
from shared.contracts.desk import (
    CaseAlarmConfirmed,
    CaseAlarmDismissed,
    CaseAlarmUnanswered,
    CaseClosed,
    CaseCorrected,
    CaseDepartmentAdded,
    CaseDepartmentRemoved,
    CaseDispatched,
    CaseFollowedUp,
    CaseMarkedAsSpam,
    CaseOpened,
    CaseRecalled,
    CaseRejected,
    CaseReopened,
    CaseRestored,
    CaseSupervised,
)
from shared.contracts.vocabulary import CONFIDENTIAL_CATEGORY, CaseType, Priority, State

URGENT, NOT_URGENT = "紧急情况", "不是紧急情况"
"""Reasons of corrections that come with a word on an alarm."""


def _open(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseOpened)


def _dispatch(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """To a department that returned it once, or after two returns at all: this is the last word."""
    assert given.department is not None
    again = case.state is not State.TRIAGE
    binding = (
        given.department in case.returned_by or len(case.returned_by) >= RETURNS_BEFORE_ADJUDICATION
    )
    if again and given.department == case.department:
        raise wrong("department", "这一件已经在这个部门。", "It is with this department already.")
    if (again or binding) and not given.reason and by.kind == "staff":
        raise wrong("reason", "请写明理由。", "Please give the reason.")
    category = given.category or case.category
    shared = {
        "department": given.department,
        "category": category,
        "case_type": given.case_type or case.case_type or CaseType.OTHER,
        "priority": given.priority or case.priority or Priority.P3,
        "decided": given.decided,
        "binding": binding,
        "confidential": is_confidential(case, category),
    }
    before = case.department if again else case.previous_department
    parts = tuple(p for p in case.parts if p.department != given.department)
    return decided(
        CaseDispatched,
        out_of_hands(case) | shared | {"previous_department": before, "parts": parts},
        **shared,
        previous_department=before,
        again=again,
        reason=given.reason,
    )


def _recall(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseRecalled, to_triage(case), department=case.department, reason=given.reason)


def _correct(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    wanted = _as_corrected(case, given)
    changed = tuple(name for name, value in wanted.items() if value != getattr(case, name))
    if not changed:
        raise wrong("reason", "没有什么要更正的。", "Nothing is different.")
    asked = {} if given.confidential is None else {"confidence_asked": given.confidential}
    return decided(
        CaseCorrected,
        wanted | asked,
        **wanted,
        changed=changed,
        department=case.department,
        reason=given.reason,
    )


def _as_corrected(case: Case, given: ActionInput) -> dict[str, Any]:
    category = given.category or case.category
    asked = case.confidence_asked if given.confidential is None else given.confidential
    return {
        "category": category,
        "case_type": given.case_type or case.case_type or CaseType.OTHER,
        "priority": given.priority or case.priority or Priority.P3,
        "title": case.title if given.title is None else given.title,
        "confidential": asked or category == CONFIDENTIAL_CATEGORY,
    }


def _confirm_alarm(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """An emergency: from now on it has the promises of one."""
    changed = {"alarm": _judged(case, emergency=True)}
    decision = decided(CaseAlarmConfirmed, changed, department=case.department)
    return _with_priority(decision, case, Priority.P1)


def _dismiss_alarm(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """No emergency: what a rule or a person made urgent for that reason is ordinary again."""
    changed = {"alarm": _judged(case, emergency=False)}
    decision = decided(CaseAlarmDismissed, changed, department=case.department)
    urgent = case.priority is Priority.P1
    return _with_priority(decision, case, Priority.P3) if urgent else decision


def _judged(case: Case, *, emergency: bool) -> Alarm:
    assert case.alarm is not None
    return replace(case.alarm, emergency=emergency)


def _with_priority(decision: Decision, case: Case, priority: Priority) -> Decision:
    """The same with a correction, where it had another priority."""
    wanted = _as_corrected(case, ActionInput(priority=priority))
    if case.priority is priority:
        return decision
    told = decision.and_told(
        CaseCorrected,
        **wanted,
        changed=("priority",),
        department=case.department,
        reason=URGENT if priority is Priority.P1 else NOT_URGENT,
    )
    return replace(told, changed=decision.changed | wanted)


def _repeat_alarm(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Nobody has done anything about it: told again, and higher up."""
    assert case.alarm is not None
    told = case.alarm.told_again + 1
    return decided(
        CaseAlarmUnanswered,
        {"alarm": replace(case.alarm, told_again=told)},
        level=told,
        raised_at=case.alarm.at,
        kind=case.alarm.kind,
    )


def _reject(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseRejected,
        over(case) | {"ended_at": at},
        reason=given.reason,
        words_id=given.words_id,
        instead=given.instead,
    )


def _spam(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseMarkedAsSpam, over(case) | {"ended_at": at}, reason=given.reason)


def restore(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """It goes on as if reopened, and counts as no reopening."""
    return decided(
        CaseRestored,
        new_cycle(case),
        previous=case.state,
        reason=given.reason,
        cycle=case.cycle + 1,
    )


def _add_department(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    assert given.department is not None
    if given.department == case.department or given.department in case.co_departments:
        raise wrong("department", "这个部门已经在办这一件。", "This department has it already.")
    part = Part(department=given.department, question=given.text)
    return decided(
        CaseDepartmentAdded,
        {"parts": (*case.parts, part)},
        department=given.department,
        question=given.text,
    )


def _remove_department(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    if given.department not in case.co_departments:
        raise wrong("department", "这个部门没有协办这一件。", "This department has no part in it.")
    parts = tuple(p for p in case.parts if p.department != given.department)
    return decided(CaseDepartmentRemoved, {"parts": parts}, department=given.department)


def _supervise(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseSupervised, {"supervised_at": at}, department=case.department, text=given.text
    )


def close(how: str) -> Decide:
    """Decides that a case is closed; `how` says by what."""

    def decide(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
        return decided(CaseClosed, over(case), how=how, department=case.department)

    return decide


def _follow_up(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Ends the follow-up; of a case that is closed already it only is the answer."""
    asked = decided(
        CaseFollowedUp,
        over(case),
        solved=given.solved,
        stars=given.stars,
        text=given.text or None,
        how=str(given.how),
        again=given.again or None,
    )
    if case.state is State.CLOSED:
        return asked
    return asked.and_told(CaseClosed, how="followed_up", department=case.department)


def reopen(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Not solved after all."""
    return decided(
        CaseReopened,
        new_cycle(case) | {"reopened": case.reopened + 1},
        reason=given.reason,
        cycle=case.cycle + 1,
        department=case.department,
    )


def _request_reopening(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Of what was joined to another case the words go on to that one, as all that is said of it."""
    return Decision({}) if case.state is State.MERGED else reopen(case, given, by, at)


DECIDE: Mapping[Action, Decide] = {
    Action.OPEN: _open,
    Action.DISPATCH: _dispatch,
    Action.ROUTE: _dispatch,
    Action.RECALL: _recall,
    Action.CORRECT: _correct,
    Action.REJECT: _reject,
    Action.SPAM: _spam,
    Action.RESTORE: restore,
    Action.ADD_DEPARTMENT: _add_department,
    Action.REMOVE_DEPARTMENT: _remove_department,
    Action.SUPERVISE: _supervise,
    Action.CONFIRM_ALARM: _confirm_alarm,
    Action.DISMISS_ALARM: _dismiss_alarm,
    Action.REPEAT_ALARM: _repeat_alarm,
    Action.CLOSE: close("staff"),
    Action.FALL_QUIET: close("quiet"),
    Action.FOLLOW_UP: _follow_up,
    Action.REOPEN: reopen,
    Action.REQUEST_REOPENING: _request_reopening,
}
