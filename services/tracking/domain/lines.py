"""The timeline a reporter reads: which facts are told, what is kept of them, and the sentence.

Internal facts (notes, warnings, who was told among staff, why a department returned it) have no
line; their numbers are simply missing from the reporter's page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.tracking.domain.case import Case
from shared.contracts import Event
from shared.contracts.desk import (
    CaseAccepted,
    CaseAssigned,
    CaseClosed,
    CaseDispatched,
    CaseInfoRequested,
    CaseOpened,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseResumed,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackRated,
    FeedbackReceived,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackUrged,
    FeedbackWithdrawn,
)
from shared.contracts.notification import NotificationSent
from shared.contracts.sla import ClockFact, SlaBreached, SlaPromised, SlaResumed
from shared.contracts.vocabulary import Clock

Data = dict[str, Any]
PROMISED = frozenset({Clock.FIRST_RESPONSE, Clock.RESOLUTION})
"""The clocks that are a promise to the reporter; the others are the house's own."""
TOLD_KINDS = frozenset({"receipt", "reply", "question", "rejected", "delay"})


def _nothing(case: Case | None, fact: Event) -> Data | None:
    return {}


def _fields(*names: str) -> Callable[[Any, Any], Data | None]:
    def keep(case: Case | None, fact: Any) -> Data | None:
        return {name: getattr(fact, name) for name in names if getattr(fact, name) is not None}

    return keep


def _promise(case: Case | None, fact: SlaPromised) -> Data | None:
    """A date that the reporter has not read yet."""
    if fact.clock not in PROMISED:
        return None
    known = case.promises.get(fact.clock) if case is not None else None
    due = fact.due.isoformat()
    if known is None or known["cycle"] < fact.cycle:
        return {"clock": fact.clock.value, "due": due}
    if datetime.fromisoformat(known["due"]) == fact.due:
        return None
    if fact.due == fact.first_due:
        return {"clock": fact.clock.value, "due": due, "instead": True}
    if fact.clock is not Clock.RESOLUTION:
        return None
    return {"clock": fact.clock.value, "due": due, "moved": True, "reason": fact.reason or ""}


def _resume(case: Case | None, fact: SlaResumed) -> Data | None:
    known = case.promises.get(fact.clock) if case is not None else None
    if fact.clock is not Clock.RESOLUTION or known is None:
        return None
    if datetime.fromisoformat(known["due"]) == fact.due:
        return None
    return {"due": fact.due.isoformat()}


def _breach(case: Case | None, fact: ClockFact) -> Data | None:
    return {"clock": fact.clock.value} if fact.clock in PROMISED else None


def _notify(case: Case | None, fact: NotificationSent) -> Data | None:
    if fact.audience != "reporter" or fact.kind not in TOLD_KINDS or fact.channel == "page":
        return None
    return {"kind": fact.kind, "channel": fact.channel}


KEPT: dict[type[Event], Callable[[Any, Any], Data | None]] = {
    FeedbackReceived: _fields("text", "title"),
    FeedbackSupplemented: _fields("text"),
    FeedbackUrged: _nothing,
    FeedbackRated: _fields("stars", "solved"),
    FeedbackReopenRequested: _fields("reason"),
    FeedbackAppealed: _fields("reason"),
    FeedbackWithdrawn: _nothing,
    CaseOpened: _nothing,
    CaseDispatched: _fields("department"),
    CaseAccepted: _fields("department"),
    CaseReturned: _nothing,
    CaseAssigned: _fields("department"),
    CaseInfoRequested: _fields("department", "question"),
    CaseResumed: _fields("reason"),
    CaseReplied: _fields("department", "text", "outcome"),
    CaseRejected: _fields("reason"),
    CaseClosed: _fields("how"),
    CaseReopened: _nothing,
    CaseWithdrawn: _nothing,
    CaseRequestRefused: _fields("request"),
    SlaPromised: _promise,
    SlaResumed: _resume,
    SlaBreached: _breach,
    NotificationSent: _notify,
}
"""Fact class → what its line keeps, given the case as it was before; None: no line."""


def line_of(case: Case | None, fact: Event) -> Data | None:
    """What the timeline keeps of `fact`, or None where the reporter is not told."""
    keep = KEPT.get(type(fact))
    return None if keep is None else keep(case, fact)
