"""Who may do what: the one table of roles and actions. Pages, API and tests read it here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.desk.domain.actions import Action
from shared.contracts.vocabulary import Clock, Role

REPORTER = "reporter"
SYSTEM = "system"

_ANSWERING = frozenset(
    {
        Action.CLAIM,
        Action.ASSIGN,
        Action.PROGRESS,
        Action.ASK,
        Action.WAIT,
        Action.RESUME,
        Action.SUBMIT,
        Action.REPLY,
        Action.AMEND,
        Action.EXTEND,
        Action.FINISH_PART,
        Action.EXPLAIN_BREACH,
        Action.NOTE,
    }
)
_SORTING = frozenset(
    {
        Action.ACCEPT,
        Action.RETURN,
        Action.ASSIGN,
        Action.UNASSIGN,
        Action.FINISH_PART,
        Action.EXPLAIN_BREACH,
        Action.NOTE,
    }
)

PERMISSIONS: Mapping[str, frozenset[Action]] = {
    Role.COORDINATOR: frozenset(
        {
            Action.DISPATCH,
            Action.RECALL,
            Action.CORRECT,
            Action.REJECT,
            Action.SPAM,
            Action.RESTORE,
            Action.MERGE,
            Action.UNMERGE,
            Action.SPLIT,
            Action.LINK,
            Action.UNLINK,
            Action.JOIN,
            Action.LEAVE,
            Action.ADD_DEPARTMENT,
            Action.REMOVE_DEPARTMENT,
            Action.FOLLOW_UP,
            Action.CONFIRM_ALARM,
            Action.DISMISS_ALARM,
            Action.CLOSE,
            Action.REOPEN,
            Action.REPLY,
            Action.AMEND,
            Action.PROGRESS,
            Action.SUPERVISE,
            Action.NOTE,
            Action.ANSWER_INCIDENT,
        }
    ),
    Role.LEADER: frozenset(
        {
            Action.SUPERVISE,
            Action.UPHOLD,
            Action.DISMISS,
            Action.CONFIRM_ALARM,
            Action.DISMISS_ALARM,
            Action.NOTE,
        }
    ),
    Role.ADMIN: frozenset(),
    Role.AUDITOR: frozenset(),
    Role.CLERK: frozenset({Action.REPLY, Action.NOTE}),
    Role.STUDENT: frozenset(),
    Role.LIAISON: _SORTING | {Action.ADD_DEPARTMENT, Action.REMOVE_DEPARTMENT},
    Role.HANDLER: _ANSWERING,
    # The head signs where no liaison is there, and in a small department answers too.
    Role.REVIEWER: _SORTING
    | _ANSWERING
    | {
        Action.APPROVE,
        Action.SEND_BACK,
        Action.GRANT_EXTENSION,
        Action.REFUSE_EXTENSION,
    },
    REPORTER: frozenset(
        {
            Action.SUPPLEMENT,
            Action.RATE,
            Action.REQUEST_REOPENING,
            Action.APPEAL,
            Action.WITHDRAW,
            # Who says "me too", with the comment itself.
            Action.JOIN,
        }
    ),
    SYSTEM: frozenset(
        {
            Action.OPEN,
            Action.ROUTE,
            Action.TIME_OUT,
            Action.REPEAT_ALARM,
            Action.FALL_QUIET,
            Action.UNASSIGN,
            # The case it was joined to is gone.
            Action.UNMERGE,
        }
    ),
}

ONCE_BROKEN: Mapping[Clock, Mapping[Action, frozenset[str]]] = {
    # What nobody signed for in time is offered to everybody who may answer it.
    Clock.ACCEPT: {Action.ACCEPT: frozenset({Role.HANDLER})},
}
"""Clock → what more roles may while its promise is broken."""


def offered_late(who: str, action: Action, broken: Collection[Clock]) -> bool:
    """Whether a role may do this since a promise was broken, though not otherwise."""
    return any(who in ONCE_BROKEN.get(clock, {}).get(action, ()) for clock in broken)


def permitted(who: str) -> frozenset[Action]:
    """What a role (or ``reporter``, ``system``) may ever do, in whatever state."""
    return PERMISSIONS.get(who, frozenset())
