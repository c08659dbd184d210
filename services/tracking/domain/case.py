"""What each event changes in the view of a case: event in, changed fields out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

from shared.contracts import Event
from shared.contracts.desk import (
    CaseAccepted,
    CaseAppealUpheld,
    CaseAssigned,
    CaseBreachExplained,
    CaseClosed,
    CaseCorrected,
    CaseDepartmentAdded,
    CaseDepartmentRemoved,
    CaseDispatched,
    CaseEvent,
    CaseExtensionGranted,
    CaseFollowedUp,
    CaseInfoRequested,
    CaseJoinedIncident,
    CaseLeftIncident,
    CaseMerged,
    CasePartFinished,
    CaseRecalled,
    CaseReopened,
    CaseReplied,
    CaseRestored,
    CaseResumed,
    CaseReturned,
    CaseSplit,
    CaseSplitOff,
    CaseUnmerged,
    CaseWaitingExternal,
    CaseWithdrawn,
)
from shared.contracts.intake import FeedbackRated, FeedbackReceived, FeedbackSupplemented
from shared.contracts.routing import FeedbackRouted, FeedbackTriageNeeded, RoutingDecision
from shared.contracts.sla import (
    PromiseStatus,
    SlaBreached,
    SlaPromisesChanged,
    SlaWarned,
    promises_after,
    still_runs,
)
from shared.contracts.vocabulary import OPEN, Clock
from shared.greetings import says_nothing

Changes = dict[str, Any]
TITLE = 60
"""Characters of the text that stand in for a title."""
NEVER_LATE = frozenset({Clock.FOLLOW_UP})
"""Waits, not promises: nobody is late with them."""


class Case(Protocol):
    """The fields of a case's view that decide something."""

    feedback_id: str
    title: str
    """The reporter's own, or the beginning of what they wrote."""
    seq: int
    """Events of it so far."""
    state: str
    received_at: datetime
    channel: str
    department: str | None
    category: str | None
    priority: str | None
    reporter_group: str | None
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
    """Its promise to the reporter was broken, whatever new date it was given since."""
    at_risk: bool
    first_due_at: datetime | None
    outcome: str | None
    extended: bool
    details: dict[str, Any]
    """What only the page says: see `with_details`."""
    measured: dict[str, Any]
    """What only measures ask: see `with_measured`."""


def with_details(case: Case, **changed: Any) -> Changes:
    """`case.details` with these values; what is empty is left out.

    ``merged_into`` and ``parent`` (ids), ``parts`` (ids), ``incident`` {id, title, text},
    ``waiting`` {for, until} (without ``for``: for the reporter), ``helping`` (departments),
    ``back`` (at the office again: ``returned`` there, or it begins ``again``).
    """
    return {"details": {k: v for k, v in (case.details | changed).items() if v}}


def with_measured(case: Case, **changed: Any) -> Changes:
    """`case.measured` with these values; what is empty is left out.

    ``state_since`` and ``late_since`` (ISO times), ``last_department``, ``broken`` (its promise to
    the reporter, once), ``warned`` {clock: the deadline that was warned of}, ``reasons`` {clock:
    why it was broken last, as it is counted: ``{seq, code, department, at, category, channel,
    priority, reporter_group}``}, ``sent`` (the last dispatch, until it is returned, as it was
    counted: ``{department, at, category, channel, priority, reporter_group}``), ``title`` (as the
    office corrected it; see `title_of`).
    """
    return {"measured": {k: v for k, v in (case.measured | changed).items() if v}}


def changes_of(case: Case, event: Event) -> Changes | None:
    """The fields that `event` changes, or None where it only is a line of the timeline."""
    change = CHANGES.get(type(event))
    changed = change(case, event) if change is not None else None
    if isinstance(event, CaseEvent):
        rights = event.rights.model_dump(mode="json", exclude_defaults=True)
        return {"state": event.state, "rights": rights} | (changed or {})
    return changed


def begin(case: Case, event: FeedbackReceived) -> Changes:
    """What the reporter said, and by which code they find it."""
    return {
        "code_hash": event.code_hash,
        "received_at": event.at,
        "channel": event.channel.value,
        "locale": event.locale,
        "place": event.place,
        "title": event.title if not says_nothing(event.title) else shorten(event.text),
        "category": case.category or event.category,
        "confidential": event.confidential,
        "reporter_group": event.reporter_group,
    }


def add_words(case: Case, event: FeedbackSupplemented) -> Changes:
    """Who began with a greeting says now what it is about: it is called by that."""
    if case.dispatches or event.thanks or not says_nothing(case.title) or says_nothing(event.text):
        return {}
    return {"title": shorten(event.text)}


def begin_part(case: Case, event: CaseSplitOff) -> Changes:
    """A part of another comment; whoever has the code of that one finds it there."""
    return {
        "received_at": event.received_at,
        "channel": event.channel.value,
        "locale": event.locale,
        "place": event.place,
        "title": event.title or shorten(event.text),
        "category": event.category,
        "confidential": event.confidential,
        "reporter_group": event.reporter_group,
    } | with_details(case, parent=event.parent)


def classify(case: Case, event: RoutingDecision) -> Changes:
    """Routing's opinion counts until somebody dispatches."""
    if case.dispatches:
        return {}
    return {
        "category": event.category or case.category,
        "case_type": event.case_type.value,
        "priority": event.priority.value,
    }


def dispatch(case: Case, event: CaseDispatched) -> Changes:
    sent = {
        "department": event.department,
        "at": event.at.isoformat(),
        "category": event.category or case.category,
        "channel": case.channel,
        "priority": event.priority.value,
        "reporter_group": case.reporter_group,
    }
    return {
        "department": event.department,
        "category": event.category or case.category,
        "case_type": event.case_type.value,
        "priority": event.priority.value,
        "confidential": event.confidential,
        "dispatches": case.dispatches + 1,
        "first_dispatched_at": case.first_dispatched_at or event.at,
        **with_measured(case, last_department=event.department, sent=sent),
        **with_details(case, waiting=None, back=None),
    }


def correct(case: Case, event: CaseCorrected) -> Changes:
    """The title of the reporter stays, for who wrote it; staff read the corrected one."""
    changes: Changes = {
        "category": event.category or case.category,
        "case_type": event.case_type.value,
        "priority": event.priority.value,
        "confidential": event.confidential,
    }
    if "title" in event.changed:
        changes |= with_measured(case, title=event.title)
    return changes


def title_of(case: Case) -> str:
    """What staff read as its title: the corrected one, else the reporter's."""
    return str(case.measured.get("title") or case.title)


def accept(case: Case, event: CaseAccepted) -> Changes:
    return {"department": event.department}


def give_back(case: Case, event: CaseReturned) -> Changes:
    changes = with_details(case, waiting=None, back="returned")
    if sent_to(case, event.department) is not None:
        changes |= with_measured(case, sent=None)
    return {"department": None, "returns": case.returns + 1} | changes


def sent_to(case: Case, department: str) -> dict[str, Any] | None:
    """The last dispatch, where it was to this department and has not come back; see `sent` in
    `with_measured`."""
    sent: dict[str, Any] | None = case.measured.get("sent")
    return sent if sent is not None and sent["department"] == department else None


def fetch_back(case: Case, event: CaseRecalled) -> Changes:
    """By the office: no return of the department's."""
    return {"department": None} | with_details(case, waiting=None, back="returned")


def assign(case: Case, event: CaseAssigned) -> Changes:
    return {"department": event.department}


def reply(case: Case, event: CaseReplied) -> Changes:
    """Answered. A direct answer of the office belongs to the office from then on."""
    return {
        "department": case.department or event.department,
        "replied_at": event.at,
        "first_replied_at": case.first_replied_at or event.at,
        "outcome": event.outcome.value,
    } | with_details(case, waiting=None, helping=None, back=None)


def close(case: Case, event: CaseClosed) -> Changes:
    return {"department": case.department or event.department}


def reopen(case: Case, event: CaseReopened) -> Changes:
    return {
        "department": None,
        # A rejection that is taken back was never answered.
        "reopenings": case.reopenings + (case.replied_at is not None),
    } | with_details(case, back="again")


def start_again(case: Case, event: CaseRestored | CaseUnmerged | CaseAppealUpheld) -> Changes:
    """It goes on, without counting as reopened. What is by itself again had never ended."""
    back = None if isinstance(event, CaseUnmerged) else "again"
    return {"department": None} | with_details(case, merged_into=None, parts=None, back=back)


def follow(case: Case, event: CaseMerged) -> Changes:
    return with_details(case, merged_into=event.into, waiting=None, helping=None)


def take_back(case: Case, event: CaseWithdrawn) -> Changes:
    """Whoever takes back what was joined to another case follows that one no more."""
    return with_details(case, merged_into=None) if case.details.get("merged_into") else {}


def divide(case: Case, event: CaseSplit) -> Changes:
    return with_details(case, parts=list(event.children), waiting=None, helping=None)


def join_incident(case: Case, event: CaseJoinedIncident) -> Changes:
    incident = {"id": event.incident_id, "title": event.title, "text": event.text}
    if event.answer and event.answered_at:
        incident |= {"answer": event.answer, "answered_at": event.answered_at.isoformat()}
    return with_details(case, incident=incident)


def leave_incident(case: Case, event: CaseLeftIncident) -> Changes:
    return with_details(case, incident=None)


def wait(case: Case, event: CaseWaitingExternal) -> Changes:
    until = event.until.isoformat() if event.until else None
    return with_details(case, waiting={"for": event.waiting_for, "until": until})


def ask(case: Case, event: CaseInfoRequested) -> Changes:
    return with_details(case, waiting={"until": event.until.isoformat() if event.until else None})


def resume(case: Case, event: CaseResumed) -> Changes:
    return with_details(case, waiting=None)


def help_along(case: Case, event: CaseDepartmentAdded) -> Changes:
    others = [d for d in case.details.get("helping", ()) if d != event.department]
    return with_details(case, helping=[*others, event.department])


def help_no_longer(case: Case, event: CasePartFinished | CaseDepartmentRemoved) -> Changes:
    others = [d for d in case.details.get("helping", ()) if d != event.department]
    return with_details(case, helping=others)


def extend(case: Case, event: CaseExtensionGranted) -> Changes:
    return {"extended": True}


def rate(case: Case, event: FeedbackRated | CaseFollowedUp) -> Changes:
    """The latest answer of a reporter counts, by themselves or to the office's question."""
    return {"rated_at": event.at, "stars": event.stars, "solved": event.solved.value}


def keep_promises(case: Case, event: SlaPromisesChanged | SlaBreached) -> Changes:
    """The promises as sla emits them. A breach stays a breach, whatever comes later."""
    promises = promises_after(case.promises, event)
    changes: Changes = {"promises": promises}
    resolution = promises.get(Clock.RESOLUTION)
    if resolution and (
        resolution["status"] == PromiseStatus.BREACHED or resolution.get("in_time") is False
    ):
        changes |= with_measured(case, broken=True)
    first = promises.get(Clock.FIRST_RESPONSE)
    # Of what nobody was late with and nobody has given it is not known yet.
    known = first and ("in_time" in first or first["status"] == PromiseStatus.BREACHED)
    changes["first_due_at"] = datetime.fromisoformat(first["due"]) if first and known else None
    return changes


def break_promise(case: Case, event: SlaBreached) -> Changes:
    """Why it was broken before is not why it is broken now."""
    changes = keep_promises(case, event)
    reasons = dict(case.measured.get("reasons", {}))
    if reasons.pop(event.clock.value, None) is None:
        return changes
    measured = changes.get("measured", case.measured) | {"reasons": reasons}
    return changes | {"measured": {k: v for k, v in measured.items() if v}}


def explain(case: Case, event: CaseBreachExplained) -> Changes:
    """Why a promise was broken; said of the same breach once more, it stands where that stood."""
    reasons = case.measured.get("reasons", {})
    said = {
        "seq": reasons.get(event.clock.value, {}).get("seq", case.seq + 1),
        "code": event.code,
        "department": event.department or case.department or "",
        "at": event.at.isoformat(),
        "category": case.category,
        "channel": case.channel,
        "priority": case.priority,
        "reporter_group": case.reporter_group,
    }
    return with_measured(case, reasons=reasons | {event.clock.value: said})


def warn(case: Case, event: SlaWarned) -> Changes:
    warned = case.measured.get("warned", {}) | {event.clock.value: event.due.isoformat()}
    return with_measured(case, warned=warned)


def deadlines(case: Case, at: datetime) -> Changes:
    """What follows from state and promises at that moment: the next deadline, and what has passed.

    A promise that was broken and given a new date is overdue again when that has passed: until
    then it is a deadline as any other. That it was broken stays (`resolution_overdue`).
    """
    due: list[datetime] = []
    overdue = broken = at_risk = False
    if case.state in OPEN:
        warned = case.measured.get("warned", {})
        for clock, runs_out in running(case):
            status = case.promises[clock]["status"]
            broken |= clock == Clock.RESOLUTION and status == PromiseStatus.BREACHED
            if runs_out <= at:
                overdue = True
                continue
            due.append(runs_out)
            # A deadline that has moved since was not warned of.
            at_risk |= clock in warned and datetime.fromisoformat(warned[clock]) == runs_out
    return {
        "due_at": min(due, default=None),
        "overdue": overdue,
        "resolution_overdue": broken,
        "at_risk": at_risk and not overdue,
    }


def running(case: Case) -> Iterator[tuple[str, datetime]]:
    """Clock and deadline of the promises for which time passes, also of those that are late."""
    for clock, promise in case.promises.items():
        if clock not in NEVER_LATE and still_runs(promise):
            yield clock, datetime.fromisoformat(promise["due"])


def next_due(case: Case) -> datetime | None:
    """Of an open case the earliest deadline, passed or not."""
    return min((due for _, due in running(case)), default=None) if case.state in OPEN else None


def shorten(text: str) -> str:
    """The beginning of a text on one line, for where a title is missing."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"


CHANGES: dict[type[Event], Callable[[Any, Any], Changes]] = {
    FeedbackReceived: begin,
    FeedbackSupplemented: add_words,
    FeedbackRated: rate,
    CaseFollowedUp: rate,
    FeedbackRouted: classify,
    FeedbackTriageNeeded: classify,
    CaseDispatched: dispatch,
    CaseAccepted: accept,
    CaseReturned: give_back,
    CaseAssigned: assign,
    CaseReplied: reply,
    CaseClosed: close,
    CaseReopened: reopen,
    CaseRecalled: fetch_back,
    CaseCorrected: correct,
    CaseRestored: start_again,
    CaseUnmerged: start_again,
    CaseAppealUpheld: start_again,
    CaseMerged: follow,
    CaseWithdrawn: take_back,
    CaseSplit: divide,
    CaseSplitOff: begin_part,
    CaseJoinedIncident: join_incident,
    CaseLeftIncident: leave_incident,
    CaseWaitingExternal: wait,
    CaseInfoRequested: ask,
    CaseResumed: resume,
    CaseDepartmentAdded: help_along,
    CasePartFinished: help_no_longer,
    CaseDepartmentRemoved: help_no_longer,
    CaseExtensionGranted: extend,
    SlaPromisesChanged: keep_promises,
    SlaBreached: break_promise,
    CaseBreachExplained: explain,
    SlaWarned: warn,
}
"""Event class → what it changes besides state and rights, which every event of desk carries."""
