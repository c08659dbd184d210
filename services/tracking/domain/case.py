"""What each fact changes in the view of a case: fact in, changed fields out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

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
    CaseResumed,
    CaseReturned,
    CaseWithdrawn,
)
from shared.contracts.intake import FeedbackRated, FeedbackReceived
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded, RoutingDecision
from shared.contracts.sla import (
    ClockFact,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaPaused,
    SlaPromised,
    SlaResumed,
)
from shared.contracts.vocabulary import OPEN, Clock, State

Changes = dict[str, Any]
TITLE = 60
"""Characters of the text that stand in for a title."""
NEVER_LATE = frozenset({Clock.FOLLOW_UP})
"""Waits, not promises: nobody is late with them."""


class Case(Protocol):
    """The fields of a case's view that decide something."""

    feedback_id: str
    state: str
    received_at: datetime
    channel: str
    department: str | None
    category: str | None
    priority: str | None
    dispatches: int
    returns: int
    reopenings: int
    first_dispatched_at: datetime | None
    replied_at: datetime | None
    first_replied_at: datetime | None
    rated_at: datetime | None
    stars: int | None
    solved: str | None
    promises: dict[str, dict[str, Any]]
    due_at: datetime | None
    overdue: bool
    resolution_overdue: bool


def begin(case: Case, fact: FeedbackReceived) -> Changes:
    """What the reporter said, and by which code they find it."""
    return {
        "code_hash": fact.code_hash,
        "received_at": fact.at,
        "channel": fact.channel.value,
        "locale": fact.locale,
        "place": fact.place,
        "title": fact.title or shorten(fact.text),
        "category": case.category or fact.category,
        "confidential": fact.confidential,
    }


def open_(case: Case, fact: CaseOpened) -> Changes:
    return {"state": State.TRIAGE} if case.state == State.RECEIVED else {}


def classify(case: Case, fact: RoutingDecision) -> Changes:
    """Routing's opinion counts until somebody dispatches."""
    if case.dispatches:
        return {}
    return {
        "category": fact.category or case.category,
        "case_type": fact.case_type.value,
        "priority": fact.priority.value,
    }


def dispatch(case: Case, fact: CaseDispatched) -> Changes:
    return {
        "state": State.DISPATCHED,
        "department": fact.department,
        "category": fact.category or case.category,
        "case_type": fact.case_type.value,
        "priority": fact.priority.value,
        "confidential": fact.confidential,
        "dispatches": case.dispatches + 1,
        "first_dispatched_at": case.first_dispatched_at or fact.at,
    }


def accept(case: Case, fact: CaseAccepted) -> Changes:
    return {"state": State.ACCEPTED, "department": fact.department}


def give_back(case: Case, fact: CaseReturned) -> Changes:
    return {"state": State.TRIAGE, "department": None, "returns": case.returns + 1}


def assign(case: Case, fact: CaseAssigned) -> Changes:
    return {"state": State.IN_PROGRESS, "department": fact.department}


def ask(case: Case, fact: CaseInfoRequested) -> Changes:
    return {"state": State.WAITING_USER}


def resume(case: Case, fact: CaseResumed) -> Changes:
    return {"state": State.IN_PROGRESS}


def reply(case: Case, fact: CaseReplied) -> Changes:
    """Answered. A direct answer of the office belongs to the office from then on."""
    return {
        "state": State.REPLIED,
        "department": case.department or fact.department,
        "replied_at": fact.at,
        "first_replied_at": case.first_replied_at or fact.at,
    }


def reject(case: Case, fact: CaseRejected) -> Changes:
    return {"state": State.REJECTED}


def close(case: Case, fact: CaseClosed) -> Changes:
    return {"state": State.CLOSED, "department": case.department or fact.department}


def reopen(case: Case, fact: CaseReopened) -> Changes:
    return {
        "state": State.TRIAGE,
        "department": None,
        "reopenings": case.reopenings + 1,
    }


def withdraw(case: Case, fact: CaseWithdrawn) -> Changes:
    return {"state": State.WITHDRAWN}


def rate(case: Case, fact: FeedbackRated) -> Changes:
    """The latest rating of a case is the one that counts."""
    return {"rated_at": fact.at, "stars": fact.stars, "solved": fact.solved.value}


def keep_time(case: Case, fact: ClockFact) -> Changes:
    """A clock began, moved, or ended. A breach stays a breach, whatever comes later."""
    before = case.promises.get(fact.clock)
    if before is not None and before["cycle"] > fact.cycle:
        return {}
    if before is None or before["cycle"] < fact.cycle:
        before = {"cycle": fact.cycle, "status": "running", "open": True}
    after = before | {"due": _text(fact.due), "first_due": _text(fact.first_due)}
    match fact:
        case SlaPromised():
            after["started"] = _text(fact.started)
            if after["status"] == "cancelled":
                after |= {"status": "running", "open": True}
            if fact.reason:
                after["reason"] = fact.reason
        case SlaBreached():
            after["status"] = "breached"
        case SlaMet():
            after["open"] = False
            after["met_at"] = _text(fact.at)
            after["in_time"] = fact.in_time
            after["status"] = "met" if fact.in_time else "breached"
        case SlaCancelled():
            after["open"] = False
            if after["status"] != "breached":
                after["status"] = "cancelled"
        case SlaPaused():
            after["paused"] = True
            if after["status"] == "running":
                after["status"] = "paused"
        case SlaResumed():
            after["paused"] = False
            if after["status"] == "paused":
                after["status"] = "running"
    return {"promises": case.promises | {fact.clock.value: after}}


def deadlines(case: Case) -> Changes:
    """What follows from state and promises: the next deadline, and whether one has passed."""
    due: str | None = None
    overdue = False
    if case.state in OPEN:
        for clock, promise in case.promises.items():
            if not promise["open"] or promise.get("paused") or clock in NEVER_LATE:
                continue
            if promise["status"] == "breached":
                overdue = True
            elif due is None or promise["due"] < due:
                due = promise["due"]
    resolution = case.promises.get(Clock.RESOLUTION)
    return {
        "due_at": None if due is None else datetime.fromisoformat(due),
        "overdue": overdue,
        "resolution_overdue": bool(
            overdue and resolution and resolution["open"] and resolution["status"] == "breached"
        ),
    }


def shorten(text: str) -> str:
    """The beginning of a text on one line, for where a title is missing."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"


def _text(moment: datetime) -> str:
    # One offset everywhere, so that texts compare as the moments do.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


CHANGES: dict[type[Event], Callable[[Any, Any], Changes]] = {
    FeedbackReceived: begin,
    FeedbackRated: rate,
    FeedbackRouted: classify,
    FeedbackTriageNeeded: classify,
    CaseOpened: open_,
    CaseDispatched: dispatch,
    CaseAccepted: accept,
    CaseReturned: give_back,
    CaseAssigned: assign,
    CaseInfoRequested: ask,
    CaseResumed: resume,
    CaseReplied: reply,
    CaseRejected: reject,
    CaseClosed: close,
    CaseReopened: reopen,
    CaseWithdrawn: withdraw,
    SlaPromised: keep_time,
    SlaBreached: keep_time,
    SlaMet: keep_time,
    SlaPaused: keep_time,
    SlaResumed: keep_time,
    SlaCancelled: keep_time,
}
"""Fact class → what it changes; the facts that are missing change only the timeline."""
