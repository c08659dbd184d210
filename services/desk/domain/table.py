"""The one table of a case's life: (state, action) → next state, and who may do it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import ENDED, STATE_NAMES, Role, State


class Action(StrEnum):
    """What can be done to a case: by staff, by the reporter, by the house itself."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    RETURN = "return"
    ASSIGN = "assign"
    CLAIM = "claim"
    ASK = "ask"
    RESUME = "resume"
    NOTE = "note"
    REPLY = "reply"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    REJECT = "reject"
    CLOSE = "close"
    REOPEN = "reopen"

    OPEN = "open"
    ROUTE = "route"
    SUPPLEMENT = "supplement"
    RATE = "rate"
    REQUEST_REOPENING = "request_reopening"
    WITHDRAW = "withdraw"
    FALL_QUIET = "fall_quiet"
    TIME_OUT = "time_out"

    SUBMIT = "submit"
    WAIT_EXTERNAL = "wait_external"
    MERGE = "merge"
    SPAM = "spam"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    DISMISS = "dismiss"


OFFERED = frozenset(
    {
        Action.DISPATCH,
        Action.ACCEPT,
        Action.RETURN,
        Action.ASSIGN,
        Action.CLAIM,
        Action.ASK,
        Action.RESUME,
        Action.NOTE,
        Action.REPLY,
        Action.APPROVE,
        Action.SEND_BACK,
        Action.REJECT,
        Action.CLOSE,
        Action.REOPEN,
    }
)
"""What staff can ask for over HTTP."""

ACTION_NAMES: dict[Action, tuple[str, str]] = {
    Action.DISPATCH: ("派单", "dispatched"),
    Action.ACCEPT: ("签收", "accepted"),
    Action.RETURN: ("退单", "returned"),
    Action.ASSIGN: ("指派", "assigned"),
    Action.CLAIM: ("认领", "claimed"),
    Action.ASK: ("请用户补充", "asked about"),
    Action.RESUME: ("继续办理", "resumed"),
    Action.NOTE: ("写备注", "noted"),
    Action.REPLY: ("答复", "replied to"),
    Action.APPROVE: ("通过", "approved"),
    Action.SEND_BACK: ("退回修改", "sent back"),
    Action.REJECT: ("不予受理", "rejected"),
    Action.CLOSE: ("办结", "closed"),
    Action.REOPEN: ("重新办理", "reopened"),
}

REPORTER = "reporter"
SYSTEM = "system"

_COORDINATOR = Role.COORDINATOR
_LIAISON, _HANDLER, _REVIEWER = Role.LIAISON, Role.HANDLER, Role.REVIEWER


@dataclass(frozen=True, slots=True)
class Step:
    """Where an action leads, and who may take it: roles, ``reporter``, ``system``."""

    to: State
    by: frozenset[str]


_S, _A = State, Action
_WORKING = (_S.TRIAGE, _S.DISPATCHED, _S.ACCEPTED, _S.IN_PROGRESS, _S.WAITING_EXTERNAL)
_ACTIVE = (*_WORKING, _S.WAITING_USER, _S.IN_REVIEW, _S.REPLIED, _S.APPEALED)

# from, action, to (None: stays), who. The numbers are the rows of the agreed table.
_ROWS: tuple[tuple[Iterable[State], Action, State | None, Iterable[str]], ...] = (
    ((_S.RECEIVED,), _A.OPEN, _S.TRIAGE, (SYSTEM,)),  # 2
    ((_S.TRIAGE,), _A.DISPATCH, _S.DISPATCHED, (_COORDINATOR,)),  # 3, 8
    ((_S.TRIAGE,), _A.ROUTE, _S.DISPATCHED, (SYSTEM,)),  # 3
    ((_S.TRIAGE,), _A.REPLY, _S.REPLIED, (_COORDINATOR, Role.CLERK)),  # 4
    ((_S.TRIAGE,), _A.REJECT, _S.REJECTED, (_COORDINATOR,)),  # 5
    ((_S.TRIAGE,), _A.SPAM, _S.SPAM, (_COORDINATOR,)),  # 5
    ((_S.TRIAGE,), _A.MERGE, _S.MERGED, (_COORDINATOR,)),  # 5
    ((_S.DISPATCHED,), _A.ACCEPT, _S.ACCEPTED, (_LIAISON,)),  # 6
    ((_S.DISPATCHED, _S.ACCEPTED), _A.RETURN, _S.TRIAGE, (_LIAISON,)),  # 7
    ((_S.ACCEPTED,), _A.ASSIGN, _S.IN_PROGRESS, (_LIAISON,)),  # 9
    ((_S.ACCEPTED,), _A.CLAIM, _S.IN_PROGRESS, (_LIAISON, _HANDLER)),  # 9
    ((_S.IN_PROGRESS,), _A.ASK, _S.WAITING_USER, (_HANDLER,)),  # 10
    ((_S.WAITING_USER,), _A.RESUME, _S.IN_PROGRESS, (_HANDLER,)),  # 10
    ((_S.WAITING_USER,), _A.SUPPLEMENT, _S.IN_PROGRESS, (REPORTER,)),  # 10
    ((_S.WAITING_USER,), _A.TIME_OUT, _S.IN_PROGRESS, (SYSTEM,)),  # 10
    ((_S.IN_PROGRESS,), _A.WAIT_EXTERNAL, _S.WAITING_EXTERNAL, (_HANDLER,)),  # 12
    ((_S.WAITING_EXTERNAL,), _A.RESUME, _S.IN_PROGRESS, (_HANDLER,)),  # 12
    ((_S.IN_PROGRESS,), _A.SUBMIT, _S.IN_REVIEW, (_HANDLER,)),  # 14
    ((_S.IN_REVIEW,), _A.SEND_BACK, _S.IN_PROGRESS, (_REVIEWER,)),  # 15
    ((_S.IN_REVIEW,), _A.APPROVE, _S.REPLIED, (_REVIEWER,)),  # 16
    ((_S.IN_PROGRESS, _S.IN_REVIEW), _A.REPLY, _S.REPLIED, (_HANDLER, _REVIEWER)),  # 16
    ((_S.REPLIED,), _A.RATE, _S.CLOSED, (REPORTER,)),  # 17
    ((_S.REPLIED,), _A.FALL_QUIET, _S.CLOSED, (SYSTEM,)),  # 17
    ((_S.REPLIED,), _A.CLOSE, _S.CLOSED, (_COORDINATOR,)),  # 17
    ((_S.REPLIED, _S.CLOSED), _A.REQUEST_REOPENING, _S.TRIAGE, (REPORTER,)),  # 18
    ((_S.REPLIED, _S.CLOSED), _A.REOPEN, _S.TRIAGE, (_COORDINATOR,)),  # 18
    ((_S.REPLIED, _S.CLOSED, _S.REJECTED), _A.APPEAL, _S.APPEALED, (REPORTER,)),  # 19
    ((_S.APPEALED,), _A.UPHOLD, _S.TRIAGE, (Role.LEADER,)),  # 19
    ((_S.APPEALED,), _A.DISMISS, _S.CLOSED, (Role.LEADER,)),  # 19
    (tuple(s for s in State if s not in ENDED), _A.WITHDRAW, _S.WITHDRAWN, (REPORTER,)),  # 20
    (
        _ACTIVE,
        _A.NOTE,
        None,
        (_COORDINATOR, Role.LEADER, Role.CLERK, _LIAISON, _HANDLER, _REVIEWER),
    ),
)

TABLE: dict[tuple[State, Action], Step] = {
    (state, action): Step(to or state, frozenset(map(str, by)))
    for states, action, to, by in _ROWS
    for state in states
}
"""Every legal move. What does not stand here is refused."""

_PERMITTED: dict[str, frozenset[Action]] = {
    who: frozenset(action for (_, action), step in TABLE.items() if who in step.by)
    for who in (*map(str, Role), REPORTER, SYSTEM)
}


def permitted(who: str) -> frozenset[Action]:
    """What a role may ever do, in whatever state: the permission table by role."""
    return _PERMITTED.get(str(who), frozenset())


class IllegalTransition(Conflict):
    """The case is not in a state in which this may be done (409)."""

    def __init__(self, state: State, action: Action, allowed: Iterable[str] = ()) -> None:
        zh, en = ACTION_NAMES.get(action, (action.value, action.value))
        state_zh, state_en = STATE_NAMES[state]
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
    for (state, action), step in TABLE.items():
        if step.to is not state and action is not Action.WITHDRAW:
            moves.setdefault((state, step.to), []).append(action.value)
    lines += [f"    {a} --> {b} : {', '.join(actions)}" for (a, b), actions in moves.items()]
    lines += [f"    {state} --> [*]" for state in State if state in ENDED]
    lines.append("    note right of WITHDRAWN : withdraw, from every state that has not ended")
    return "\n".join(lines)
