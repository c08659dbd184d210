"""Events of desk: the ordinary path of a case, from opening to reply and closing."""

from __future__ import annotations

import operator
from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.contracts.event import Event
from shared.contracts.lenient import AnyCaseType, AnyOutcome, AnyRefusalReason
from shared.contracts.rights import Rights
from shared.contracts.vocabulary import Priority, State


class CaseEvent(Event):
    """An event about a case, with what it left behind."""

    state: State
    """Where the case is now."""
    rights: Rights = Rights()
    """What its reporter may do now."""


class CaseOpened(CaseEvent, type="case.opened.v1", owner="desk", shred=()):
    """The office has it (RECEIVED → TRIAGE)."""

    state: State = State.TRIAGE


class CaseDispatched(CaseEvent, type="case.dispatched.v1", owner="desk", shred=("reason",)):
    """Sent to a department (→ DISPATCHED), also again from one that had it (改派)."""

    state: State = State.DISPATCHED
    department: str
    category: str | None = None
    case_type: AnyCaseType
    priority: Priority
    decided: str
    """``rule``, ``model`` or ``person``."""
    previous_department: str | None = None
    binding: bool = False
    """Adjudicated (裁定): it may not be returned."""
    confidential: bool = False
    again: bool = False
    """From a department that had it, not from TRIAGE; its work on it ends."""
    reason: str = ""


class CaseAccepted(CaseEvent, type="case.accepted.v1", owner="desk", shred=()):
    """The department signed for it (→ ACCEPTED)."""

    state: State = State.ACCEPTED
    department: str


class CaseReturned(CaseEvent, type="case.returned.v1", owner="desk", shred=("reason",)):
    """Not theirs (→ TRIAGE)."""

    state: State = State.TRIAGE
    department: str
    reason: str
    suggest: str | None = None


class CaseAssigned(CaseEvent, type="case.assigned.v1", owner="desk", shred=()):
    """Somebody works on it (ACCEPTED → IN_PROGRESS; handed over in the middle, it stays)."""

    state: State = State.IN_PROGRESS
    department: str
    to: str
    to_display: str | None = None


class CaseUnassigned(CaseEvent, type="case.unassigned.v1", owner="desk", shred=()):
    """Nobody works on it any more; the department has to say who will.

    `reason`: ``moved`` or ``left`` (the account changed), ``untouched`` (offered to the department
    again, since nobody did anything in time), or ``staff``.
    """

    state: State = State.ACCEPTED
    department: str | None = None
    previous: str
    """The account that had it."""
    reason: str


class CaseInfoRequested(
    CaseEvent, type="case.info_requested.v1", owner="desk", shred=("question",)
):
    """The reporter was asked something, in public (→ WAITING_USER)."""

    state: State = State.WAITING_USER
    department: str | None = None
    question: str
    words_id: str | None = None
    until: datetime | None = None
    """Unanswered by then, it goes on with what is known."""


class CaseResumed(CaseEvent, type="case.resumed.v1", owner="desk", shred=()):
    """Waiting is over (→ IN_PROGRESS).

    `reason`: ``supplied``, ``timeout``, ``staff``, or ``until`` (the date to look again came).
    """

    state: State = State.IN_PROGRESS
    department: str | None = None
    reason: str


class CaseNoted(CaseEvent, type="case.noted.v1", owner="desk", shred=()):
    """An internal note was written; its words stay in desk."""

    department: str | None = None
    mentions: tuple[str, ...] = ()
    """Accounts that are told of it."""
    rang: Annotated[bool, Field(exclude_if=operator.not_)] = False
    """Whoever wrote it rang the reporter, who left a telephone alone."""


class CaseReplied(CaseEvent, type="case.replied.v1", owner="desk", shred=("text", "reason")):
    """A public reply was published (→ REPLIED)."""

    state: State = State.REPLIED
    department: str | None = None
    text: str
    outcome: AnyOutcome
    words_id: str | None = None
    """Key of the unmasked words in `PrivateReplyWords`, where masking changed them."""
    rule: str | None = None
    """The rule it rests on, by name and version."""
    reason: str | None = None
    """Why it was only explained, or cannot be done: for the reports."""
    drafted_by: str | None = None
    """The account that wrote it, where `by` is who approved it."""
    direct: bool = False
    """Answered by the office itself (直接答复), without a department."""
    incident_id: str | None = None
    """One answer for all cases of this incident."""


class CaseRejected(CaseEvent, type="case.rejected.v1", owner="desk", shred=("reason", "instead")):
    """Not accepted, with the reason the reporter reads (→ REJECTED)."""

    state: State = State.REJECTED
    reason: str
    words_id: str | None = None
    instead: str | None = None
    """Where to go instead."""


class CaseClosed(CaseEvent, type="case.closed.v1", owner="desk", shred=()):
    """Done (→ CLOSED).

    `how`: ``rated``, ``staff``, ``quiet`` (nobody objected in time), ``followed_up``, or
    ``incident`` (closed with the incident it belongs to).
    """

    state: State = State.CLOSED
    how: str
    department: str | None = None


class CaseReopened(CaseEvent, type="case.reopened.v1", owner="desk", shred=("reason",)):
    """Not solved after all (→ TRIAGE); `cycle` counts from 1, the first reopening is cycle 2."""

    state: State = State.TRIAGE
    reason: str
    cycle: int
    department: str | None = None


class CaseWithdrawn(CaseEvent, type="case.withdrawn.v1", owner="desk", shred=()):
    """The case ended because the reporter took it back (→ WITHDRAWN)."""

    state: State = State.WITHDRAWN


class CaseRequestRefused(CaseEvent, type="case.request_refused.v1", owner="desk", shred=()):
    """What the reporter asked for came too late or too often; the state did not change.

    `request` is the type of the event that asked (``feedback.reopen_requested`` …).
    """

    request: str
    reason: AnyRefusalReason
