"""The timeline a reporter reads: which events have a line, and what is kept of them.

Internal events (notes, warnings, messages to staff, why a department returned it) have no
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
    CaseAnsweredThrough,
    CaseAppealDismissed,
    CaseAppealed,
    CaseAppealUpheld,
    CaseAssigned,
    CaseBreachExplained,
    CaseClosed,
    CaseDepartmentAdded,
    CaseDispatched,
    CaseFollowedUp,
    CaseInfoRequested,
    CaseJoinedIncident,
    CaseLeftIncident,
    CaseMarkedAsSpam,
    CaseMerged,
    CaseOpened,
    CasePartFinished,
    CaseProgressed,
    CaseRecalled,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseReplySubmitted,
    CaseRequestRefused,
    CaseRestored,
    CaseResumed,
    CaseReturned,
    CaseSplit,
    CaseSplitOff,
    CaseSupervised,
    CaseUnmerged,
    CaseWaitingExternal,
    CaseWithdrawn,
)
from shared.contracts.intake import (
    FeedbackAppealed,
    FeedbackPicturesErased,
    FeedbackRated,
    FeedbackReceived,
    FeedbackReopenRequested,
    FeedbackSupplemented,
    FeedbackSupplementMoved,
    FeedbackUrged,
    FeedbackWithdrawn,
)
from shared.contracts.notification import NotificationSent
from shared.contracts.sla import Change, PromiseStatus, SlaBreached, SlaPromisesChanged
from shared.contracts.vocabulary import Clock
from shared.moments import as_read

Data = dict[str, Any]
PROMISED = frozenset({Clock.FIRST_RESPONSE, Clock.RESOLUTION})
"""The clocks that are a promise to the reporter; the others are the system's own."""
SHOWN_KINDS = frozenset({"receipt", "reply", "question", "rejected", "delay", "progress", "appeal"})


def _nothing(case: Case | None, event: Event) -> Data | None:
    return {}


def _fields(*names: str) -> Callable[[Any, Any], Data | None]:
    def keep(case: Case | None, event: Any) -> Data | None:
        return {name: getattr(event, name) for name in names if getattr(event, name) is not None}

    return keep


def _promises(case: Case | None, event: SlaPromisesChanged) -> Data | None:
    """Dates that the reporter has not read yet: ``{promises: [{clock, due, kind, reason?}]}``.

    `kind` is ``first``, ``anew`` (the first one was worked out again before it was read),
    ``moved``, or ``resumed`` (by the time we waited for the reporter).
    """
    known = _dates(case)
    dropped = {p.clock for p in event.promises if p.status is PromiseStatus.CANCELLED}
    shown = []
    for change in event.changes:
        before, dates = known.get(change.clock), (change.cycle, as_read(change.due))
        known[change.clock] = dates
        kind = _KINDS.get(change.change)
        if kind is None or change.clock not in PROMISED or before == dates:
            continue
        if kind == "first":
            if change.clock in dropped:
                continue
            if before is not None and before[0] == change.cycle:
                kind = "anew"
        elif change.clock is not Clock.RESOLUTION:
            continue
        one = {"clock": change.clock.value, "due": change.due.isoformat(), "kind": kind}
        shown.append(one | ({"reason": change.reason or ""} if kind == "moved" else {}))
    return {"promises": shown} if shown else None


_KINDS = {Change.PROMISED: "first", Change.MOVED: "moved", Change.RESUMED: "resumed"}


def _dates(case: Case | None) -> dict[Clock, tuple[int, datetime]]:
    """Clock → cycle and deadline as they were known before, to the minute, as they are read."""
    return {
        Clock(clock): (promise["cycle"], as_read(datetime.fromisoformat(promise["due"])))
        for clock, promise in (case.promises if case is not None else {}).items()
    }


def _breach(case: Case | None, event: SlaBreached) -> Data | None:
    return {"clock": event.clock.value} if event.clock in PROMISED else None


def _notify(case: Case | None, event: NotificationSent) -> Data | None:
    if event.audience != "reporter" or event.kind not in SHOWN_KINDS or event.channel == "page":
        return None
    return {"kind": event.kind, "channel": event.channel}


def _replied(case: Case | None, event: CaseReplied) -> Data | None:
    """Without the department where the office answered by itself."""
    whose = () if event.direct else ("department",)
    return _fields(*whose, "text", "outcome", "rule")(case, event)


def _received(case: Case | None, event: FeedbackReceived) -> Data | None:
    return {"text": event.text, "title": event.title} | _pictures(event)


def _supplemented(case: Case | None, event: FeedbackSupplemented) -> Data | None:
    return {"text": event.text} | ({"thanks": True} if event.thanks else {}) | _pictures(event)


def _pictures(event: FeedbackReceived | FeedbackSupplemented) -> Data:
    """``{pictures: [{picture_id, width, height}]}`` of what came with the words."""
    return {"pictures": [one.model_dump() for one in event.pictures]} if event.pictures else {}


def _explained(case: Case | None, event: CaseBreachExplained) -> Data | None:
    if event.clock not in PROMISED:
        return None
    return {"reason": event.text} | ({"again": True} if event.again else {})


KEPT: dict[type[Event], Callable[[Any, Any], Data | None]] = {
    FeedbackReceived: _received,
    FeedbackSupplemented: _supplemented,
    FeedbackPicturesErased: _nothing,
    FeedbackSupplementMoved: _nothing,
    FeedbackUrged: _nothing,
    FeedbackRated: _fields("stars", "solved", "comment"),
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
    CaseReplied: _replied,
    CaseRejected: _fields("reason", "instead"),
    CaseClosed: _fields("how"),
    CaseReopened: _nothing,
    CaseWithdrawn: _nothing,
    CaseRequestRefused: _fields("request"),
    CaseRecalled: _nothing,
    CaseMarkedAsSpam: _nothing,
    CaseRestored: _nothing,
    CaseMerged: _nothing,
    CaseAnsweredThrough: _fields("department", "kind", "into", "text", "outcome", "rule", "amends"),
    CaseUnmerged: _fields("children"),
    CaseSplit: _nothing,
    CaseSplitOff: _fields("text", "title"),
    CaseJoinedIncident: _fields("title", "text"),
    CaseLeftIncident: _nothing,
    CaseDepartmentAdded: _fields("department"),
    CasePartFinished: _fields("department"),
    CaseFollowedUp: _fields("how"),
    CaseSupervised: _nothing,
    CaseProgressed: _fields("department", "text", "amends"),
    CaseWaitingExternal: _fields("department", "waiting_for", "reason"),
    CaseReplySubmitted: _fields("department"),
    CaseBreachExplained: _explained,
    CaseAppealed: _nothing,
    CaseAppealUpheld: _fields("reason"),
    CaseAppealDismissed: _fields("reason"),
    SlaPromisesChanged: _promises,
    SlaBreached: _breach,
    NotificationSent: _notify,
}
"""Event class → what its line keeps, given the case as it was before; None: no line."""


def line_of(case: Case | None, event: Event) -> Data | None:
    """What the timeline keeps of `event`, or None where the reporter sees none."""
    keep = KEPT.get(type(event))
    return None if keep is None else keep(case, event)
