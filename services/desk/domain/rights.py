"""What the reporter may do: decided here, sent with every event, repeated by everybody else."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.desk.domain.actions import Action
from services.desk.domain.case import Case
from services.desk.domain.transitions import TRANSITIONS
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import ENDED, OPEN, RefusalReason, State

REOPEN_WITHIN = timedelta(days=15)
"""Counted from the reply, not from the closing."""
REOPEN_AT_MOST = 2
URGE_EVERY = timedelta(hours=1)


def rights_of(case: Case) -> Rights:
    """What the reporter of `case` may do from now on."""

    def legal(action: Action) -> bool:
        return (case.state, action) in TRANSITIONS and not goes_on_elsewhere(case)

    refused = reopening_refused(case)
    return Rights(
        supplement=case.state not in ENDED or legal(Action.SUPPLEMENT),
        urge=case.state in OPEN,
        urge_every=URGE_EVERY,
        rate=legal(Action.RATE) and _is_answered(case) and not case.rated,
        reopen_until=None if refused or case.replied_at is None else _last_moment(case.replied_at),
        reopen_refused=refused or RefusalReason.TOO_LATE,
        withdraw=legal(Action.WITHDRAW),
        appeal=legal(Action.APPEAL) and not appeal_refused(case),
        standing=_standing(case),
        answered=_is_answered(case),
        appeal_dismissed=case.appeal_dismissed,
        reopen_left=_left(case) if case.appeal_dismissed and not refused else None,
    )


def _is_answered(case: Case) -> bool:
    """There is a reply, to this case or to the one it was joined to, that counts today."""
    ended = case.was_rejected or case.state in (State.REJECTED, State.SPAM, State.WITHDRAWN)
    return case.replied_at is not None and not ended and case.state not in OPEN


def _standing(case: Case) -> CaseStanding:
    if case.was_rejected:
        return CaseStanding.REJECTED
    if case.state is State.MERGED:
        if not goes_on_elsewhere(case):
            return CaseStanding.JOINED
        return CaseStanding.PUT_BACK if is_put_back(case) else CaseStanding.SPLIT
    return _STANDING.get(case.state, CaseStanding.OPEN)


def goes_on_elsewhere(case: Case) -> bool:
    """As its parts, or as the whole it was a part of: the reporter speaks of those."""
    return case.state is State.MERGED and (case.merged_into is None or is_put_back(case))


def is_split(case: Case) -> bool:
    """It goes on as its parts."""
    return case.state is State.MERGED and case.merged_into is None and bool(case.children)


def is_put_back(case: Case) -> bool:
    """It was a part of another case, whose splitting was undone."""
    return case.merged_into is not None and case.merged_into == case.parent


def reopening_refused(case: Case, at: datetime | None = None) -> RefusalReason | None:
    """Why a reporter's request to reopen fails; without `at` whatever the time."""
    legal = (case.state, Action.REQUEST_REOPENING) in TRANSITIONS and not case.was_rejected
    if not legal or case.replied_at is None or goes_on_elsewhere(case):
        return RefusalReason.NOT_POSSIBLE_NOW
    if at is not None and at > _last_moment(case.replied_at):
        return RefusalReason.TOO_LATE
    return RefusalReason.TOO_OFTEN if case.reopened >= REOPEN_AT_MOST else None


def appeal_refused(case: Case, at: datetime | None = None) -> bool:
    """True before whoever has the case was asked once more, and after a leader has decided.

    Nobody is sent to a door that is closed: `at` a moment when it is too late to ask, an appeal
    needs no asking before it.
    """
    late = at is not None and reopening_refused(case, at) is RefusalReason.TOO_LATE
    asked_again = case.reopened > 0 or case.reopening_refused or late
    return case.appeal_dismissed or not (asked_again or case.state is State.REJECTED)


_STANDING = {
    State.REPLIED: CaseStanding.ANSWERED,
    State.CLOSED: CaseStanding.ANSWERED,
    State.REJECTED: CaseStanding.REJECTED,
    State.SPAM: CaseStanding.SPAM,
    State.WITHDRAWN: CaseStanding.WITHDRAWN,
}


def _left(case: Case) -> int:
    """How often its reporter may still ask for it to be taken up again."""
    return REOPEN_AT_MOST - case.reopened


def _last_moment(replied_at: datetime) -> datetime:
    return replied_at + REOPEN_WITHIN
