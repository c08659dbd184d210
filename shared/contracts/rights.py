"""What a reporter may do with a case: decided by desk, repeated by everybody else.

Desk sends `Rights` with each of its events. Between a request of the reporter and desk's answer
they say less than is known, so `Asked` keeps what desk has not answered yet; `refusal` puts both
together.
"""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.lenient import AnyRefusalReason, lenient
from shared.contracts.vocabulary import RefusalReason


class ReporterAction(StrEnum):
    """What a reporter can do with a tracking code."""

    SUPPLEMENT = "supplement"
    URGE = "urge"
    RATE = "rate"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"


class Refused(StrEnum):
    """Why something is not possible, besides the reasons that desk itself gives."""

    TOO_SOON = "too_soon"
    PENDING = "pending"
    """An earlier request waits for desk's answer."""
    OVER = "over"


class CaseStanding(StrEnum):
    """What is true of a case, as far as the words to its reporter depend on it."""

    OPEN = "open"
    ANSWERED = "answered"
    REJECTED = "rejected"
    """Also where a leader looked again and let that stand."""
    SPAM = "spam"
    JOINED = "joined"
    SPLIT = "split"
    """It goes on as its parts, each of which has rights of its own."""
    PUT_BACK = "put_back"
    """It was such a part, and goes on in its whole."""
    WITHDRAWN = "withdrawn"
    OTHER = "other"


class Rights(BaseModel):
    """What the reporter may do, as desk decides it, and what that rests on.

    The defaults are those of a new case.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    supplement: bool = True
    urge: bool = True
    urge_every: timedelta = timedelta(hours=1)
    rate: bool = False
    reopen_until: datetime | None = None
    """None: not at all, for the reason in `reopen_refused`."""
    reopen_refused: AnyRefusalReason = RefusalReason.NOT_POSSIBLE_NOW
    withdraw: bool = True
    appeal: bool = False
    # What came later is left out where it says nothing, as in the events of before.
    standing: Annotated[
        CaseStanding,
        lenient(CaseStanding, CaseStanding.OTHER),
        Field(exclude_if=lambda standing: standing is CaseStanding.OPEN),
    ] = CaseStanding.OPEN
    answered: Annotated[bool, Field(exclude_if=operator.not_)] = False
    """There is a reply, to this case or to the one it was joined to."""
    appeal_dismissed: Annotated[bool, Field(exclude_if=operator.not_)] = False
    """A leader has looked again, and that was the last word."""
    reopen_left: Annotated[int | None, Field(exclude_if=lambda left: left is None)] = None
    """How often an answer that a leader let stand may still be asked to be taken up again."""


class Asked(BaseModel):
    """What the reporter asked for and desk has not answered, and when they last urged."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pending: tuple[ReporterAction, ...] = ()
    urged_at: datetime | None = None

    def after(self, event_type: str, at: datetime, request: str = "") -> Asked:
        """The same after an event (type without version); `request` is what a refusal refuses."""
        if event_type == "feedback.urged":
            return self.model_copy(update={"urged_at": at})
        pending = self.pending
        if (wish := _REQUESTS.get(event_type)) is not None:
            pending = (*(p for p in pending if p is not wish), wish)
        elif event_type == "case.request_refused":
            pending = tuple(p for p in pending if p is not _REQUESTS.get(request))
        elif event_type in _ANSWERS:
            pending = tuple(p for p in pending if p not in _ANSWERS[event_type])
        urged_at = None if event_type in _AGAIN else self.urged_at
        return Asked(pending=pending, urged_at=urged_at)


_REQUESTS = {
    "feedback.rated": ReporterAction.RATE,
    "feedback.reopen_requested": ReporterAction.REOPEN,
    "feedback.withdrawn": ReporterAction.WITHDRAW,
    "feedback.appealed": ReporterAction.APPEAL,
}
_AGAIN = frozenset({"case.reopened", "case.restored", "case.unmerged", "case.appeal_upheld"})
"""The case begins anew."""
_ALL = frozenset({ReporterAction.RATE, ReporterAction.REOPEN, ReporterAction.APPEAL})
_ANSWERS = {
    # A rating is of the last reply; another reply may be rated anew.
    "case.replied": frozenset({ReporterAction.RATE}),
    # Whose case was joined to another asked for that one to be taken up again: this is its answer.
    "case.answered_through": frozenset({ReporterAction.RATE, ReporterAction.REOPEN}),
    "case.appealed": frozenset({ReporterAction.APPEAL}),
    "case.appeal_dismissed": frozenset({ReporterAction.APPEAL}),
    **dict.fromkeys(_AGAIN, _ALL),
}


def refusal(
    action: ReporterAction, rights: Rights, asked: Asked, *, now: datetime
) -> Refused | RefusalReason | None:
    """Why `action` is not possible at `now`; None when it is."""
    if ReporterAction.WITHDRAW in asked.pending:
        return Refused.OVER
    if action in asked.pending:
        return Refused.PENDING
    # Who asked to reopen may go on talking at once: the case is about to be open again.
    reopening = ReporterAction.REOPEN in asked.pending
    match action:
        case ReporterAction.SUPPLEMENT:
            allowed = rights.supplement or reopening
        case ReporterAction.URGE:
            about_to_open = reopening and rights.standing is not CaseStanding.JOINED
            if not (rights.urge or about_to_open):
                return RefusalReason.NOT_POSSIBLE_NOW
            soon = asked.urged_at is not None and now - asked.urged_at < rights.urge_every
            return Refused.TOO_SOON if soon else None
        case ReporterAction.RATE:
            if reopening and rights.rate:
                return Refused.PENDING
            allowed = rights.rate
        case ReporterAction.REOPEN:
            if rights.reopen_until is None:
                return rights.reopen_refused
            return RefusalReason.TOO_LATE if now > rights.reopen_until else None
        case ReporterAction.WITHDRAW:
            allowed = rights.withdraw
        case _:
            # Too late to ask whoever had it: then a leader may be asked at once.
            late = rights.reopen_until is not None and now > rights.reopen_until
            answered = rights.standing is CaseStanding.ANSWERED and not rights.appeal_dismissed
            allowed = rights.appeal or (late and answered)
    return None if allowed else RefusalReason.NOT_POSSIBLE_NOW


def allowed_actions(rights: Rights, asked: Asked, *, now: datetime) -> list[str]:
    """What the reporter may do at `now`."""
    return [a.value for a in ReporterAction if refusal(a, rights, asked, now=now) is None]
