"""The one table of a case's life: (state, action) → next state, and who may do it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.desk.domain.actions import ACTION_NAMES, Action
from services.desk.domain.permissions import PERMISSIONS
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import ENDED, STATE_NAMES, Role, State


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, and who may take it: roles, ``reporter``, ``system``."""

    to: State
    by: frozenset[str]


_S, _A = State, Action
_WORKED_ON = (_S.IN_PROGRESS, _S.WAITING_USER, _S.WAITING_EXTERNAL)
AT_DEPARTMENT = (_S.DISPATCHED, _S.ACCEPTED, *_WORKED_ON, _S.IN_REVIEW)
ACTIVE = (_S.TRIAGE, *AT_DEPARTMENT)
"""Somebody has to do something for the reporter."""
_UNENDED = tuple(s for s in State if s not in ENDED)
_ANYBODY = frozenset(PERMISSIONS)
_OFFICE = frozenset({str(Role.COORDINATOR), str(Role.CLERK)})
_DEPARTMENT = frozenset({str(Role.HANDLER), str(Role.REVIEWER)})
_ANSWERERS = frozenset({str(Role.COORDINATOR)}) | _DEPARTMENT
_SORTERS = frozenset({str(Role.LIAISON), str(Role.REVIEWER)})
_COORDINATOR = frozenset({str(Role.COORDINATOR)})

# from, action, to (None: stays), and who of those that are permitted the action at all.
_ROWS: tuple[tuple[Iterable[State], Action, State | None, frozenset[str]], ...] = (
    ((_S.RECEIVED,), _A.OPEN, _S.TRIAGE, _ANYBODY),
    # The office sorts, and may always take a case back.
    (ACTIVE, _A.DISPATCH, _S.DISPATCHED, _ANYBODY),
    ((_S.TRIAGE,), _A.ROUTE, _S.DISPATCHED, _ANYBODY),
    (AT_DEPARTMENT, _A.RECALL, _S.TRIAGE, _ANYBODY),
    (ACTIVE, _A.CORRECT, None, _ANYBODY),
    ((_S.TRIAGE,), _A.REPLY, _S.REPLIED, _OFFICE),
    ((_S.TRIAGE,), _A.REJECT, _S.REJECTED, _ANYBODY),
    ((_S.TRIAGE,), _A.SPAM, _S.SPAM, _ANYBODY),
    ((_S.REJECTED, _S.SPAM, _S.CLOSED), _A.RESTORE, _S.TRIAGE, _ANYBODY),
    (ACTIVE, _A.MERGE, _S.MERGED, _ANYBODY),
    ((_S.MERGED,), _A.UNMERGE, _S.TRIAGE, _ANYBODY),
    (ACTIVE, _A.SPLIT, _S.MERGED, _ANYBODY),
    (ACTIVE, _A.LINK, None, _ANYBODY),
    (ACTIVE, _A.UNLINK, None, _ANYBODY),
    (ACTIVE, _A.JOIN, None, _ANYBODY),
    (ACTIVE, _A.LEAVE, None, _ANYBODY),
    (ACTIVE, _A.ANSWER_INCIDENT, _S.REPLIED, _ANYBODY),
    ((_S.TRIAGE,), _A.ADD_DEPARTMENT, None, _COORDINATOR),
    ((_S.TRIAGE,), _A.REMOVE_DEPARTMENT, None, _COORDINATOR),
    (AT_DEPARTMENT, _A.ADD_DEPARTMENT, None, _ANYBODY),
    (AT_DEPARTMENT, _A.REMOVE_DEPARTMENT, None, _ANYBODY),
    (ACTIVE, _A.SUPERVISE, None, _ANYBODY),
    (ACTIVE, _A.CONFIRM_ALARM, None, _ANYBODY),
    (ACTIVE, _A.DISMISS_ALARM, None, _ANYBODY),
    (ACTIVE, _A.REPEAT_ALARM, None, _ANYBODY),
    # The department signs, gives back, says who works on it.
    ((_S.DISPATCHED,), _A.ACCEPT, _S.ACCEPTED, _ANYBODY),
    ((_S.DISPATCHED, _S.ACCEPTED, _S.IN_PROGRESS), _A.RETURN, _S.TRIAGE, _ANYBODY),
    ((_S.ACCEPTED,), _A.ASSIGN, _S.IN_PROGRESS, _SORTERS),
    ((_S.ACCEPTED,), _A.CLAIM, _S.IN_PROGRESS, _ANYBODY),
    (_WORKED_ON, _A.ASSIGN, None, _ANYBODY),
    (_WORKED_ON, _A.CLAIM, None, _ANYBODY),
    ((_S.IN_PROGRESS,), _A.UNASSIGN, _S.ACCEPTED, _ANYBODY),
    # What waits goes on waiting, and an answer that was given still has to be followed up.
    (
        (_S.WAITING_USER, _S.WAITING_EXTERNAL, _S.IN_REVIEW, _S.REPLIED),
        _A.UNASSIGN,
        None,
        _ANYBODY,
    ),
    # Work.
    (_WORKED_ON, _A.PROGRESS, None, _DEPARTMENT),
    ((_S.IN_PROGRESS,), _A.ASK, _S.WAITING_USER, _ANYBODY),
    ((_S.WAITING_USER,), _A.SUPPLEMENT, _S.IN_PROGRESS, _ANYBODY),
    ((_S.IN_PROGRESS,), _A.WAIT, _S.WAITING_EXTERNAL, _ANYBODY),
    ((_S.WAITING_USER, _S.WAITING_EXTERNAL), _A.RESUME, _S.IN_PROGRESS, _ANYBODY),
    ((_S.WAITING_USER, _S.WAITING_EXTERNAL), _A.TIME_OUT, _S.IN_PROGRESS, _ANYBODY),
    (AT_DEPARTMENT, _A.EXTEND, None, _ANYBODY),
    (AT_DEPARTMENT, _A.GRANT_EXTENSION, None, _ANYBODY),
    (AT_DEPARTMENT, _A.REFUSE_EXTENSION, None, _ANYBODY),
    (ACTIVE, _A.FINISH_PART, None, _ANYBODY),
    ((*AT_DEPARTMENT, _S.REPLIED, _S.CLOSED), _A.EXPLAIN_BREACH, None, _ANYBODY),
    ((_S.IN_PROGRESS,), _A.SUBMIT, _S.IN_REVIEW, _ANYBODY),
    ((_S.IN_REVIEW,), _A.SEND_BACK, _S.IN_PROGRESS, _ANYBODY),
    ((_S.IN_REVIEW,), _A.APPROVE, _S.REPLIED, _ANYBODY),
    ((_S.IN_PROGRESS,), _A.REPLY, _S.REPLIED, _DEPARTMENT),
    # After the answer.
    ((_S.REPLIED,), _A.SUPPLEMENT, None, _ANYBODY),
    ((_S.REPLIED,), _A.REPLY, None, _ANSWERERS),
    ((_S.REPLIED,), _A.PROGRESS, None, _ANSWERERS),
    ((_S.REPLIED,), _A.AMEND, None, _ANSWERERS),
    ((_S.REPLIED,), _A.RATE, _S.CLOSED, _ANYBODY),
    ((_S.REPLIED,), _A.FALL_QUIET, _S.CLOSED, _ANYBODY),
    ((_S.REPLIED,), _A.CLOSE, _S.CLOSED, _ANYBODY),
    ((_S.REPLIED, _S.CLOSED), _A.FOLLOW_UP, _S.CLOSED, _ANYBODY),
    ((_S.CLOSED,), _A.RATE, None, _ANYBODY),
    ((_S.REPLIED, _S.CLOSED), _A.REQUEST_REOPENING, _S.TRIAGE, _ANYBODY),
    ((_S.REPLIED, _S.CLOSED), _A.REOPEN, _S.TRIAGE, _ANYBODY),
    ((_S.REJECTED,), _A.SUPPLEMENT, _S.TRIAGE, _ANYBODY),
    ((_S.REPLIED, _S.CLOSED, _S.REJECTED), _A.APPEAL, _S.APPEALED, _ANYBODY),
    ((_S.APPEALED,), _A.UPHOLD, _S.TRIAGE, _ANYBODY),
    ((_S.APPEALED,), _A.DISMISS, _S.CLOSED, _ANYBODY),
    # Whoever was joined to another case may still speak, rate its answer, and go.
    ((_S.MERGED,), _A.SUPPLEMENT, None, _ANYBODY),
    ((_S.MERGED,), _A.RATE, None, _ANYBODY),
    ((_S.MERGED,), _A.REQUEST_REOPENING, None, _ANYBODY),
    ((*_UNENDED, _S.MERGED), _A.WITHDRAW, _S.WITHDRAWN, _ANYBODY),
    ((*ACTIVE, _S.REPLIED, _S.APPEALED), _A.NOTE, None, _ANYBODY),
)

TRANSITIONS: dict[tuple[State, Action], Transition] = {
    (state, action): Transition(
        to or state, frozenset(w for w in among if action in PERMISSIONS[w])
    )
    for states, action, to, among in _ROWS
    for state in states
}
"""Every legal move. What does not stand here is refused."""


class IllegalTransition(Conflict):
    """The case is not in a state in which this may be done (409)."""

    def __init__(
        self, state: State, action: Action, allowed: Iterable[str] = (), *, split: bool = False
    ) -> None:
        zh, en = ACTION_NAMES.get(action, (action.value, action.value))
        state_zh, state_en = ("已拆分", "Split") if split else STATE_NAMES[state]
        super().__init__(
            f"这一件现在是“{state_zh}”，不能{zh}。",
            f"This matter is “{state_en}” and cannot be {en} now.",
            allowed=sorted(allowed),
        )
        self.state, self.action = state, action


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> RECEIVED"]
    moves: dict[tuple[State, State], list[str]] = {}
    for (state, action), transition in TRANSITIONS.items():
        again = action is Action.DISPATCH and state is not State.TRIAGE
        if transition.to is not state and action not in _FROM_EVERYWHERE and not again:
            moves.setdefault((state, transition.to), []).append(action.value)
    lines += [f"    {a} --> {b} : {', '.join(actions)}" for (a, b), actions in moves.items()]
    lines += [f"    {state} --> [*]" for state in State if state in ENDED]
    lines += [f"    note right of {state} : {words}" for state, words in _NOTES.items()]
    return "\n".join(lines)


_FROM_EVERYWHERE = frozenset(
    {
        Action.WITHDRAW,
        Action.RECALL,
        Action.MERGE,
        Action.SPLIT,
        Action.ANSWER_INCIDENT,
    }
)
_NOTES = {
    State.WITHDRAWN: "withdraw, from every state that has not ended, and from MERGED",
    State.MERGED: "merge, split, from every active state (TRIAGE to IN_REVIEW)",
    State.TRIAGE: "recall, from every state of a department (DISPATCHED to IN_REVIEW)",
    State.DISPATCHED: "dispatch again, from every state of a department",
    State.REPLIED: "answer_incident, from every active state",
}
