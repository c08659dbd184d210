"""Facts told by desk: what happens to a case, and who works where."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.event import DIRECTORY, DirectoryFact, Event
from shared.contracts.lenient import AnyCaseType, AnyOutcome
from shared.contracts.vocabulary import Priority


class CaseOpened(Event, type="case.opened.v1", owner="desk"):
    """The office has it (RECEIVED → TRIAGE)."""


class CaseDispatched(Event, type="case.dispatched.v1", owner="desk"):
    """Sent to a department (TRIAGE → DISPATCHED)."""

    department: str
    category: str | None = None
    case_type: AnyCaseType
    priority: Priority
    decided: str
    """``rule``, ``model`` or ``person``."""
    previous_department: str | None = None
    binding: bool = False
    confidential: bool = False


class CaseAccepted(Event, type="case.accepted.v1", owner="desk"):
    """The department signed for it (→ ACCEPTED)."""

    department: str


class CaseReturned(Event, type="case.returned.v1", owner="desk"):
    """Not theirs (→ TRIAGE)."""

    department: str
    reason: str
    suggest: str | None = None


class CaseAssigned(Event, type="case.assigned.v1", owner="desk"):
    """Somebody works on it (→ IN_PROGRESS)."""

    department: str
    to: str
    to_display: str | None = None


class CaseInfoRequested(Event, type="case.info_requested.v1", owner="desk"):
    """The reporter was asked something, in public (→ WAITING_USER)."""

    department: str | None = None
    question: str


class CaseResumed(Event, type="case.resumed.v1", owner="desk"):
    """Waiting is over (→ IN_PROGRESS). `reason`: ``supplied``, ``timeout`` or ``staff``."""

    department: str | None = None
    reason: str


class CaseNoted(Event, type="case.noted.v1", owner="desk"):
    """An internal note was written; its words stay in desk."""

    department: str | None = None


class CaseReplied(Event, type="case.replied.v1", owner="desk"):
    """A public reply was published (→ REPLIED)."""

    department: str | None = None
    text: str
    outcome: AnyOutcome


class CaseRejected(Event, type="case.rejected.v1", owner="desk"):
    """Not accepted, with the reason the reporter reads (→ REJECTED)."""

    reason: str


class CaseClosed(Event, type="case.closed.v1", owner="desk"):
    """Done (→ CLOSED). `how`: ``rated``, ``staff`` or ``quiet`` (nobody objected in time)."""

    how: str
    department: str | None = None


class CaseReopened(Event, type="case.reopened.v1", owner="desk"):
    """Not solved after all (→ TRIAGE); `cycle` counts from 1, the first reopening is cycle 2."""

    reason: str
    cycle: int
    department: str | None = None


class CaseWithdrawn(Event, type="case.withdrawn.v1", owner="desk"):
    """The case ended because the reporter took it back (→ WITHDRAWN)."""


class CaseRequestRefused(Event, type="case.request_refused.v1", owner="desk"):
    """What the reporter asked for came too late or too often; the state did not change.

    `request` is the type of the fact that asked (``feedback.reopen_requested`` …).
    """

    request: str
    reason: str


class DepartmentListed(
    DirectoryFact, type="directory.department.v1", owner="desk", topic=DIRECTORY
):
    """A department as it is now."""

    code: str
    zh: str
    en: str
    active: bool = True

    @property
    def key(self) -> str:
        """One entry per department."""
        return f"department:{self.code}"


class PersonListed(DirectoryFact, type="directory.person.v1", owner="desk", topic=DIRECTORY):
    """A member of staff as they are now."""

    username: str
    display: str
    role: str
    department: str | None = None
    email: str | None = None
    locale: str = "zh"
    active: bool = True

    @property
    def key(self) -> str:
        """One entry per account."""
        return f"person:{self.username}"


class SessionRevoked(
    DirectoryFact, type="directory.session_revoked.v1", owner="desk", topic=DIRECTORY
):
    """A session ended before its time."""

    session_id: str
    expires: datetime

    @property
    def key(self) -> str:
        """One entry per session."""
        return f"session:{self.session_id}"
