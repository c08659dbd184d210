"""How a reply comes about: written, read by a second pair of eyes, published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.desk.domain.actions import Action
from services.desk.domain.canned import not_filled_in
from services.desk.domain.case import ActionInput, Case, Review, SentBack
from services.desk.domain.deciding import Decide, Decision, Told, decided, over, wrong
from services.desk.domain.guards import may_let_out
from shared.contracts import Actor
from shared.contracts.desk import (
    CaseCorrected,
    CaseReplied,
    CaseReplySentBack,
    CaseReplySubmitted,
)
from shared.contracts.vocabulary import CaseType, Outcome, Priority, Role

GIVE_A_REASON = frozenset({Outcome.EXPLAINED, Outcome.CANNOT})


def _submit(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    outcome = _outcome(given)
    review = Review(
        by=by.name or "",
        at=at,
        text=given.text,
        outcome=outcome,
        words_id=given.words_id,
        rule=given.rule,
        reason=given.reason or None,
    )
    return decided(
        CaseReplySubmitted,
        {"review": review, "sent_back": None},
        department=case.department,
        outcome=outcome,
        rule=given.rule,
    )


def _send_back(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    review = case.review
    assert review is not None
    sent_back = SentBack(by=by.name or "", at=at, drafted_by=review.by, text=review.text)
    return decided(
        CaseReplySentBack,
        {"review": None, "sent_back": sent_back},
        department=case.department,
        to=review.by,
    )


def _approve(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """As it was submitted, or with the words or the outcome of who read it."""
    review = case.review
    assert review is not None
    edited = bool(given.text)
    # It may have been submitted when nobody looked at that.
    if (why := not_filled_in(given.text if edited else review.text)) is not None:
        raise wrong("text", *why)
    final = replace(
        given,
        text=given.text if edited else review.text,
        words_id=given.words_id if edited else review.words_id,
        outcome=given.outcome or review.outcome,
        rule=given.rule or review.rule,
        reason=given.reason or review.reason or "",
    )
    return _publish(case, final, at, drafted_by=review.by)


def _reply(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    """Of the department, or (直接答复) of the office, which may say in the same step what it is."""
    answered = _publish(case, given, at, direct=case.department is None)
    kind = given.case_type
    if kind is None or kind is case.case_type:
        return answered
    if by.role == Role.CLERK and kind is not CaseType.INQUIRY:
        raise wrong("type", "台口只能直接答复咨询。", "A desk answers inquiries only.")
    return Decision(answered.changed | {"case_type": kind}, (_retyped(case, kind), *answered.told))


def check_sent_back(case: Case, text: str, by: Actor, *, field: str = "text") -> None:
    """Raise, about this field, where these are the words of a reply that was sent back: they go out
    as an interim word or a question no more than as an answer."""
    held = case.sent_back
    if held is None or may_let_out(case, by) or _letters(text) != _letters(held.text):
        return
    raise wrong(
        field,
        "负责人把它退回修改了，还和那时一样：请先改，或者再送审。",
        "It was sent back and reads as it did then: please change it, or submit it again.",
    )


def _letters(text: str) -> str:
    """What is left of words without blanks and marks: another comma is no other answer."""
    return "".join(letter for letter in text if letter.isalnum()).casefold()


def _retyped(case: Case, kind: CaseType) -> Told:
    values: dict[str, Any] = {
        "changed": ("case_type",),
        "case_type": kind,
        "category": case.category,
        "priority": case.priority or Priority.P3,
        "title": case.title,
        "confidential": case.confidential,
        "department": case.department,
        "reason": "",
    }
    return CaseCorrected, values


def _answer_incident(case: Case, given: ActionInput, by: Actor, at: datetime) -> Decision:
    return _publish(case, given, at, direct=True, incident_id=case.incident_id)


def _publish(case: Case, given: ActionInput, at: datetime, **more: Any) -> Decision:
    return decided(
        CaseReplied,
        over(case) | {"replied_at": at, "rated": False, "appeal_dismissed": False},
        department=case.department,
        text=given.text,
        outcome=_outcome(given),
        words_id=given.words_id,
        rule=given.rule,
        reason=given.reason or None,
        **more,
    )


def _outcome(given: ActionInput) -> Outcome:
    return check_outcome(given.outcome, given.reason)


def check_outcome(outcome: Outcome | None, reason: str | None) -> Outcome:
    """The outcome of a reply; 422 where it is missing, or a reason that it needs."""
    if outcome is None or outcome is Outcome.OTHER:
        raise wrong("outcome", "请选择一种结果。", "Please choose an outcome.")
    if outcome in GIVE_A_REASON and not reason:
        raise wrong(
            "reason",
            "只作解释或不能办理时，请写明理由。",
            "What is only explained, or cannot be done, needs a reason.",
        )
    return outcome


DECIDE: Mapping[Action, Decide] = {
    Action.SUBMIT: _submit,
    Action.SEND_BACK: _send_back,
    Action.APPROVE: _approve,
    Action.REPLY: _reply,
    Action.ANSWER_INCIDENT: _answer_incident,
}
