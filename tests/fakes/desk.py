"""What desk would say: its events with the state and the rights it would send along."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.desk.domain import Case, rights_of
from shared.contracts import desk
from shared.contracts.vocabulary import State


class FakeDesk:
    """Follows one case through desk's own events."""

    def __init__(self, feedback_id: str) -> None:
        self.case = Case(feedback_id=feedback_id, department="it")

    def event(self, kind: type[Any], at: datetime, /, **fields: Any) -> Any:
        """The event of this class as desk would emit it at that moment."""
        default = kind.model_fields["state"].default
        state = default if isinstance(default, State) else self.case.state
        changed: dict[str, Any] = {"state": state}
        if kind is desk.CaseReplied:
            changed |= {"replied_at": at, "rated": False}
        elif kind is desk.CaseClosed:
            changed |= {"rated": self.case.rated or fields["how"] == "rated"}
        elif kind is desk.CaseReopened:
            changed |= {"reopened": fields["cycle"] - 1, "cycle": fields["cycle"]}
        elif kind in (desk.CaseRejected, desk.CaseMarkedAsSpam):
            changed |= {"ended_at": at}
        elif kind is desk.CaseMerged:
            changed |= {"ended_at": at, "merged_into": fields["into"], "replied_at": None}
        elif kind is desk.CaseSplit:
            changed |= {"ended_at": at, "children": tuple(fields["children"]), "replied_at": None}
        elif kind is desk.CaseAnsweredThrough and fields.get("outcome"):
            changed |= {"replied_at": at, "rated": False}
        elif kind is desk.CaseAppealDismissed:
            changed |= {"appeal_dismissed": True}
        self.case = replace(self.case, **changed)
        given = {"state": state, "rights": rights_of(self.case)} | fields
        return kind(feedback_id=self.case.feedback_id, at=at, **given)
