"""What takes an action back, as far as that can be done: nobody unreads what was said in public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.desk.domain.actions import Action
from services.desk.domain.case import Case
from shared.contracts.vocabulary import State

REASON = "撤销批量操作 | undone together with others"
Undo = tuple[Action, dict[str, Any]]


def opposite(action: Action, before: Case, given: Mapping[str, Any]) -> Undo | None:
    """The action, and its body, that takes `action` back; `before` is the case as it was then.

    None where there is none: a reply was read, a signature was given, a closed case is told, and
    an incident that is `over` takes nobody.
    """
    match action:
        case Action.DISPATCH if before.state is State.TRIAGE:
            return Action.RECALL, {"reason": REASON}
        case Action.DISPATCH if before.department:
            return Action.DISPATCH, {"department": before.department, "reason": REASON}
        case Action.MERGE:
            return Action.UNMERGE, {"reason": REASON}
        case Action.JOIN:
            return Action.LEAVE, {}
        case Action.LEAVE if not given.get("over"):
            return Action.JOIN, {"incident": before.incident_id}
        case Action.LINK:
            return Action.UNLINK, {"to": given["to"]}
        case Action.UNLINK:
            return Action.LINK, {"to": given["to"]}
        case Action.ASSIGN if before.assignee is None:
            return Action.UNASSIGN, {}
        case Action.ASSIGN:
            return Action.ASSIGN, {"to": before.assignee}
    return None
