"""A case after an event of desk itself that its database has lost and the log has kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from services.desk.domain import related
from services.desk.domain.actions import Action
from services.desk.domain.advance import DECIDE
from services.desk.domain.case import ActionInput, Case, alarm_answered
from services.desk.domain.deciding import NOT_NEEDED, over
from services.desk.domain.guards import is_theirs
from services.desk.domain.promises import explained
from shared.contracts import desk
from shared.contracts.desk import CaseEvent
from shared.contracts.refusal import Refusal
from shared.contracts.vocabulary import RefusalReason

ACTIONS: Mapping[type[CaseEvent], Action] = {
    desk.CaseOpened: Action.OPEN,
    desk.CaseDispatched: Action.DISPATCH,
    desk.CaseRecalled: Action.RECALL,
    desk.CaseAccepted: Action.ACCEPT,
    desk.CaseReturned: Action.RETURN,
    desk.CaseAssigned: Action.ASSIGN,
    desk.CaseUnassigned: Action.UNASSIGN,
    desk.CaseProgressed: Action.PROGRESS,
    desk.CaseInfoRequested: Action.ASK,
    desk.CaseWaitingExternal: Action.WAIT,
    desk.CaseResumed: Action.RESUME,
    desk.CaseNoted: Action.NOTE,
    desk.CaseExtensionAsked: Action.EXTEND,
    desk.CaseExtensionGranted: Action.GRANT_EXTENSION,
    desk.CaseExtensionRefused: Action.REFUSE_EXTENSION,
    desk.CaseDepartmentAdded: Action.ADD_DEPARTMENT,
    desk.CasePartFinished: Action.FINISH_PART,
    desk.CaseSupervised: Action.SUPERVISE,
    desk.CaseReplySubmitted: Action.SUBMIT,
    desk.CaseReplySentBack: Action.SEND_BACK,
    desk.CaseReplied: Action.REPLY,
    desk.CaseRejected: Action.REJECT,
    desk.CaseMarkedAsSpam: Action.SPAM,
    desk.CaseRestored: Action.RESTORE,
    desk.CaseClosed: Action.CLOSE,
    desk.CaseReopened: Action.REOPEN,
    desk.CaseAppealed: Action.APPEAL,
    desk.CaseAppealUpheld: Action.UPHOLD,
    desk.CaseAppealDismissed: Action.DISMISS,
    desk.CaseWithdrawn: Action.WITHDRAW,
    desk.CaseAlarmConfirmed: Action.CONFIRM_ALARM,
    desk.CaseAlarmDismissed: Action.DISMISS_ALARM,
    desk.CaseAlarmUnanswered: Action.REPEAT_ALARM,
}
"""The action by which an event came to be, as far as that matters for the case."""
_NEEDS = {
    desk.CaseExtensionGranted: "extension",
    desk.CaseExtensionRefused: "extension",
    desk.CaseReplySentBack: "review",
    desk.CaseAlarmConfirmed: "alarm",
    desk.CaseAlarmDismissed: "alarm",
    desk.CaseAlarmUnanswered: "alarm",
}
"""What has to be known of the case before."""
_SAID = {field.name for field in fields(ActionInput)}
_SILENT = (desk.CaseNoted, desk.CaseAlarmUnanswered)
_AS_IT_SAYS = ("binding", "confidential", "cycle")


def recollected(case: Case, event: CaseEvent) -> tuple[Case, bool]:
    """The case after `event`, which was decided once and is not decided again.

    Nobody is asked whether it was allowed; where the rules have changed since, the event counts.
    False where of all it did only the state is known.
    """
    if isinstance(event, desk.CaseRequestRefused):
        too_late = event.reason in (RefusalReason.TOO_LATE, RefusalReason.TOO_OFTEN)
        if too_late and event.request == "feedback.reopen_requested":
            case = replace(case, reopening_refused=True)
        return case, True
    case = replace(case, alarm=alarm_answered(case, event.by, event.at))
    changed = _changed(case, event)
    if is_theirs(case.assignee, event.by):
        case = replace(case, untouched_since=None)
    version = case.version + (not isinstance(event, _SILENT))
    values = (changed or {}) | {"state": event.state, "version": version}
    return replace(case, **values), changed is not None


def _changed(case: Case, event: CaseEvent) -> dict[str, Any] | None:
    """What the event changed besides the state; None where that cannot be known."""
    if (stated := _STATED.get(type(event))) is not None:
        return stated(case, event)
    action, needs = ACTIONS.get(type(event)), _NEEDS.get(type(event))
    if action is None or (needs is not None and getattr(case, needs) is None):
        return None
    said = {name: getattr(event, name) for name in _SAID & type(event).model_fields.keys()}
    if "question" in type(event).model_fields:
        said["text"] = event.question  # type: ignore[attr-defined]
    given = ActionInput(**{name: value for name, value in said.items() if value is not None})
    try:
        changed = DECIDE[action](case, given, event.by, event.at).changed
    except Refusal:
        return None
    changed = changed | {name: getattr(event, name) for name in _AS_IT_SAYS if hasattr(event, name)}
    if isinstance(event, desk.CaseClosed) and event.how == "rated":
        changed["rated"] = True
    return changed


def _corrected(case: Case, event: desk.CaseCorrected) -> dict[str, Any]:
    now = {name: getattr(event, name) for name in ("category", "case_type", "priority", "title")}
    asked = {"confidence_asked": event.confidential} if "confidential" in event.changed else {}
    return now | asked | {"confidential": event.confidential}


def _removed(case: Case, event: desk.CaseDepartmentRemoved) -> dict[str, Any]:
    """What was not needed any more is still known to have been asked."""
    if event.reason == NOT_NEEDED:
        return {}
    return {"parts": tuple(p for p in case.parts if p.department != event.department)}


def _without(known: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(other for other in known if other != one)


# What these say is all that they did.
_STATED: Mapping[type[CaseEvent], Callable[[Case, Any], dict[str, Any]]] = {
    desk.CaseCorrected: _corrected,
    desk.CaseBreachExplained: lambda case, event: explained(
        case.reasons_owed, case.reasons_given, event.clock
    ),
    desk.CaseFollowedUp: lambda case, event: over(case),
    desk.CaseMerged: lambda case, event: related.joined(case, event.into, event.at),
    desk.CaseUnmerged: lambda case, event: related.parted(case),
    desk.CaseAbsorbed: lambda case, event: {
        "merged": (*_without(case.merged, event.merged), event.merged)
    },
    desk.CaseReleased: lambda case, event: related.released(
        case, event.merged, settled=event.settled
    ),
    desk.CaseWordsOwed: lambda case, event: {"words_owed_since": case.words_owed_since or event.at},
    desk.CaseAnsweredThrough: lambda case, event: related.answered(
        event.kind, event.outcome, event.at
    ),
    desk.CaseSplit: lambda case, event: related.divided(case, event.children, event.at),
    desk.CaseDepartmentRemoved: _removed,
    desk.CaseLinked: lambda case, event: {"links": (*_without(case.links, event.to), event.to)},
    desk.CaseUnlinked: lambda case, event: {"links": _without(case.links, event.to)},
    desk.CaseJoinedIncident: lambda case, event: {"incident_id": event.incident_id},
    desk.CaseLeftIncident: lambda case, event: {"incident_id": None},
}
