"""The one function that changes a case: checks the old state first, gives case and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.desk.domain import answer, department, office, related, reporter
from services.desk.domain.actions import NOT_OFFERED, Action
from services.desk.domain.case import ActionInput, Case, Change, alarm_answered
from services.desk.domain.deciding import Decide, parts_over
from services.desk.domain.guards import foreign, guard, is_theirs
from services.desk.domain.permissions import offered_late, permitted
from services.desk.domain.rights import is_split, reopening_refused, rights_of
from services.desk.domain.transitions import TRANSITIONS, IllegalTransition
from shared.contracts import Actor
from shared.contracts.desk import CaseRequestRefused
from shared.contracts.refusal import Conflict, Forbidden
from shared.contracts.vocabulary import RefusalReason, State

DECIDE: Mapping[Action, Decide] = {
    **office.DECIDE,
    **department.DECIDE,
    **answer.DECIDE,
    **reporter.DECIDE,
    **related.DECIDE,
}
"""Who decides what an action makes of a case."""
OFFERED = frozenset(DECIDE) - NOT_OFFERED
"""What staff can ask for over HTTP."""
_OFFERED_IN = {
    state: [
        (action, TRANSITIONS[state, action])
        for action in Action
        if action in OFFERED and (state, action) in TRANSITIONS
    ]
    for state in State
}

Who = Actor | Sequence[Actor]
"""Who acts; a person with several roles as one actor for each, in the order they are tried."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where an action leads, and who takes it: the person in the role in which they may."""

    to: State
    by: Actor


def who_is(by: Actor) -> str:
    """An actor as the tables name them."""
    return (by.role or "") if by.kind == "staff" else by.kind


def check(case: Case, action: Action, *, by: Who, at: datetime) -> Move:
    """What `action` would be; raises what forbids it: `Forbidden` first, then `Conflict`.

    Of several actors the first that may is the one who acts.
    """
    actors = (by,) if isinstance(by, Actor) else tuple(by)
    late = [a for a in actors if offered_late(who_is(a), action, case.breached)]
    able = [a for a in actors if action in permitted(who_is(a)) or a in late]
    if not able:
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    near = [a for a in able if foreign(case, action, a) is None]
    if not near:
        raise Forbidden(*(foreign(case, action, able[0]) or ("", "")))
    transition = TRANSITIONS.get((case.state, action))
    here = [a for a in near if transition and (who_is(a) in transition.by or a in late)]
    if transition is None or not here or action not in DECIDE:
        possible, split = allowed_actions(case, actors, at), is_split(case)
        raise IllegalTransition(case.state, action, possible, split=split)
    forbidden = {a: guard(case, action, a, at) for a in here}
    for actor, words in forbidden.items():
        if words is None:
            return Move(transition.to, actor)
    words = forbidden[here[0]]
    assert words is not None
    raise Conflict(*words, allowed=sorted(allowed_actions(case, actors, at)))


def allowed_actions(case: Case, by: Who, at: datetime) -> list[str]:
    """What this person could do now, in the order of the actions."""
    actors = (by,) if isinstance(by, Actor) else tuple(by)
    return [
        action.value
        for action, transition in _OFFERED_IN[case.state]
        if any(
            (who_is(a) in transition.by or offered_late(who_is(a), action, case.breached))
            and foreign(case, action, a) is None
            and guard(case, action, a, at) is None
            for a in actors
        )
    ]


def advance(
    case: Case, action: Action, given: ActionInput | None = None, *, by: Who, at: datetime
) -> Change:
    """Do `action`: checks the old state first, gives the new case and the events about it."""
    move = check(case, action, by=by, at=at)
    return _change(case, action, given or ActionInput(), move=move, at=at)


def refuse_request(case: Case, request: str, reason: RefusalReason, *, at: datetime) -> Change:
    """Say that what the reporter asked for changed nothing, and why.

    A reopening that was refused leaves the reporter another way: the appeal.
    """
    if request == "feedback.reopen_requested" and reason in _LEAVES_APPEAL:
        case = replace(case, reopening_refused=True)
    event = CaseRequestRefused(
        feedback_id=case.feedback_id,
        at=at,
        state=case.state,
        rights=rights_of(case),
        request=request,
        reason=reason,
    )
    return Change(case, (event,))


_LEAVES_APPEAL = frozenset({RefusalReason.TOO_LATE, RefusalReason.TOO_OFTEN})


def request_reopening(
    case: Case, reason: str, *, by: Actor, asked: datetime, at: datetime
) -> Change:
    """Reopen if the reporter asked in time and not too often; the moment of asking counts."""
    action = Action.REQUEST_REOPENING
    if (refused := reopening_refused(case, asked)) is not None:
        return refuse_request(case, "feedback.reopen_requested", refused, at=at)
    move = Move(TRANSITIONS[case.state, action].to, by)
    return _change(case, action, ActionInput(reason=reason), move=move, at=at)


_SILENT = frozenset({Action.NOTE, Action.REPEAT_ALARM})
"""What changes nothing for whoever has the page of the case before them."""


def _change(case: Case, action: Action, given: ActionInput, *, move: Move, at: datetime) -> Change:
    by = move.by
    case = replace(case, alarm=alarm_answered(case, by, at))
    decision = DECIDE[action](case, given, by, at)
    version = case.version + (action not in _SILENT)
    if is_theirs(case.assignee, by):
        case = replace(case, untouched_since=None)
    after = replace(case, state=move.to, version=version, **decision.changed)
    rights = rights_of(after)
    told = tuple(
        event(
            feedback_id=case.feedback_id,
            at=at,
            by=by,
            state=after.state,
            rights=rights,
            **values,
        )
        for event, values in (*decision.told, *parts_over(case, after))
    )
    return Change(after, told)
