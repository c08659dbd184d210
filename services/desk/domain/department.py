"""What a department does with a case: signs, gives back, works, waits, does its part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.desk.domain.actions import Action
from services.desk.domain.answer import check_sent_back
from services.desk.domain.case import ActionInput, Asked, Case, Extension
from services.desk.domain.deciding import (
    NOBODY,
    WAITING_OVER,
    Decide,
    Decision,
    decided,
    in_future,
    to_triage,
    wrong,
)
from services.desk.domain.promises import explained
from shared.contracts import Actor
from shared.contracts.desk import (
    CaseAccepted,
    CaseAssigned,
    CaseBreachExplained,
    CaseExtensionAsked,
    CaseExtensionGranted,
    CaseExtensionRefused,
    CaseInfoRequested,
    CaseNoted,
    CasePartFinished,
    CaseProgressed,
    CaseResumed,
    CaseReturned,
    CaseUnassigned,
    CaseWaitingExternal,
)
from shared.contracts.vocabulary import Clock, State

ANSWER_WITHIN = timedelta(days=7)
"""How long a question waits for the reporter."""


def _accept(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseAccepted, department=case.department)


def _give_back(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    department = case.department or ""
    return decided(
        CaseReturned,
        to_triage(case) | {"returned_by": (*case.returned_by, department)},
        department=department,
        reason=given.reason,
        suggest=given.suggest,
    )


def _assign_to(case: Case, name: str, display: str | None, at: datetime) -> Decision:
    return decided(
        CaseAssigned,
        {"assignee": name, "assignee_name": display, "untouched_since": at},
        department=case.department,
        to=name,
        to_display=display,
    )


def _assign(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return _assign_to(case, given.to, given.to_display, at)


def _claim(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """What a substitute takes is the absent person's, who sees it when they are back."""
    if by.substitute_for is not None:
        return _assign_to(case, by.substitute_for, None, at)
    return _assign_to(case, by.name or "", by.display, at)


def _unassign(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(
        CaseUnassigned,
        NOBODY,
        department=case.department,
        previous=case.assignee,
        reason=given.reason or "staff",
    )


def _progress(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """An interim word; it also answers what the reporter said after a reply."""
    return _said(case, given, by)


def _amend(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """A word that adds to the reply or corrects it."""
    return _said(case, given, by, amends=True)


def _said(case: Case, given: ActionInput, by: Actor, **how: bool) -> Decision:
    check_sent_back(case, given.text, by)
    return decided(
        CaseProgressed,
        {"public_since_dispatch": True, "words_owed_since": None},
        department=case.department,
        text=given.text,
        words_id=given.words_id,
        **how,
    )


def _ask(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    check_sent_back(case, given.text, by, field="question")
    return decided(
        CaseInfoRequested,
        {"waiting_since": at, "public_since_dispatch": True},
        department=case.department,
        question=given.text,
        words_id=given.words_id,
        until=at + ANSWER_WITHIN,
    )


def _wait(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    until = in_future(given.until, at)
    return decided(
        CaseWaitingExternal,
        {"waiting_since": at, "waiting_for": given.waiting_for, "waiting_until": until},
        department=case.department,
        waiting_for=given.waiting_for,
        until=until,
        reason=given.reason,
    )


def resume(reason: str) -> Decide:
    """Decides that waiting is over, for whichever reason."""

    def decide(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
        return decided(CaseResumed, WAITING_OVER, department=case.department, reason=reason)

    return decide


def _time_out(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """The reporter did not answer, or the date to look again has come."""
    reason = "until" if case.state is State.WAITING_EXTERNAL else "timeout"
    return resume(reason)(case, given, by, at)


def _extend(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    until = _later(case, given.until, at)
    wish = Extension(until=until, reason=given.reason, by=by.name or "", asked_at=at)
    return decided(
        CaseExtensionAsked,
        {"extension": wish},
        department=case.department,
        until=until,
        reason=given.reason,
    )


def _grant_extension(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """The reporter is told the reason that was asked with; the head may name another day."""
    assert case.extension is not None
    until = _later(case, given.until or case.extension.until, at)
    granted = replace(case.extension, state=Asked.GRANTED, until=until, answer=given.text)
    return decided(
        CaseExtensionGranted,
        {"extension": granted},
        department=case.department,
        until=until,
        reason=case.extension.reason,
    )


def _refuse_extension(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    assert case.extension is not None
    refused = replace(case.extension, state=Asked.REFUSED, answer=given.reason)
    return decided(
        CaseExtensionRefused,
        {"extension": refused},
        department=case.department,
        reason=given.reason,
    )


def _later(case: Case, until: datetime | None, at: datetime) -> datetime:
    until = in_future(until, at)
    if until is None:
        raise wrong("until", "请写明新的时间。", "Please name the new time.")
    if case.resolution_due is not None and until <= case.resolution_due:
        raise wrong(
            "until", "新的时间须晚于现在的期限。", "The new time must be after the present one."
        )
    return until


def _finish_part(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    parts = tuple(
        replace(part, text=given.text) if part.department == by.department else part
        for part in case.parts
    )
    return decided(CasePartFinished, {"parts": parts}, department=by.department, text=given.text)


def _explain_breach(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """What is said of the same breach once more takes the place of what was said before."""
    clock = given.clock
    if clock is None or (clock not in case.breached and clock not in case.reasons_owed):
        raise wrong("clock", "这项承诺没有超期。", "This promise was not broken.")
    return decided(
        CaseBreachExplained,
        explained(case.reasons_owed, case.reasons_given, clock),
        department=case.department,
        clock=clock,
        code=str(given.code),
        text=given.text,
        until=_new_date(case, given, at),
        again=clock in case.reasons_given or None,
    )


def _new_date(case: Case, given: ActionInput, at: datetime) -> datetime | None:
    """The date that is promised instead, for what the reporter still waits for."""
    if given.until is None:
        return None
    if given.clock is not Clock.RESOLUTION or case.resolution_due is None:
        raise wrong("until", "只有还没办结的可以另定期限。", "Only a resolution gets a new date.")
    return _later(case, given.until, at)


def _note(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return decided(CaseNoted, department=case.department, mentions=given.mentions, rang=given.rang)


DECIDE: Mapping[Action, Decide] = {
    Action.ACCEPT: _accept,
    Action.RETURN: _give_back,
    Action.ASSIGN: _assign,
    Action.CLAIM: _claim,
    Action.UNASSIGN: _unassign,
    Action.PROGRESS: _progress,
    Action.AMEND: _amend,
    Action.ASK: _ask,
    Action.WAIT: _wait,
    Action.RESUME: resume("staff"),
    Action.TIME_OUT: _time_out,
    Action.EXTEND: _extend,
    Action.GRANT_EXTENSION: _grant_extension,
    Action.REFUSE_EXTENSION: _refuse_extension,
    Action.FINISH_PART: _finish_part,
    Action.EXPLAIN_BREACH: _explain_breach,
    Action.NOTE: _note,
}
