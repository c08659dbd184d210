"""What the functions that decide have in common: their form, and what several of them change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.desk.domain.case import ActionInput, Asked, Case
from shared.contracts import Actor
from shared.contracts.desk import CaseDepartmentRemoved, CaseEvent
from shared.contracts.refusal import Unacceptable
from shared.moments import not_ahead

Told = tuple[type[CaseEvent], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action changes of a case, and the events that say so.

    No event: a change that its cause already states.
    """

    changed: dict[str, Any]
    told: tuple[Told, ...] = ()

    def and_told(self, event: type[CaseEvent], **values: Any) -> Decision:
        """The same with one more event."""
        return replace(self, told=(*self.told, (event, values)))


Decide = Callable[[Case, ActionInput, Actor, datetime], Decision]
"""Case, what came with the action, who acts, when. The state is checked already."""


def decided(
    event: type[CaseEvent], changed: dict[str, Any] | None = None, /, **values: Any
) -> Decision:
    """A decision of one event."""
    return Decision(changed or {}, ((event, values),))


NOT_NEEDED = "not_needed"
"""Why a part is over that nobody took away: what it was for has been answered, or has ended."""
NOBODY: dict[str, Any] = {"assignee": None, "assignee_name": None, "untouched_since": None}
WAITING_OVER: dict[str, Any] = {
    "waiting_since": None,
    "waiting_for": None,
    "waiting_until": None,
}


def out_of_hands(case: Case) -> dict[str, Any]:
    """What ends when a case leaves whoever worked on it: to another department, or for good."""
    pending = case.extension is not None and case.extension.state is Asked.PENDING
    return (
        NOBODY
        | WAITING_OVER
        | {
            "review": None,
            "sent_back": None,
            "extension": None if pending else case.extension,
            "public_since_dispatch": False,
        }
    )


def over(case: Case) -> dict[str, Any]:
    """What ends with an answer or with the case; who had it stays."""
    return out_of_hands(case) | {
        "assignee": case.assignee,
        "assignee_name": case.assignee_name,
        "words_owed_since": None,
    }


def parts_over(before: Case, after: Case) -> tuple[Told, ...]:
    """What is said of second departments that had not answered when it was answered, or ended."""
    if after.is_active:
        return ()
    return tuple(
        (CaseDepartmentRemoved, {"department": department, "reason": NOT_NEEDED})
        for department in before.open_parts
    )


def to_triage(case: Case) -> dict[str, Any]:
    """Back at the office: whoever had it is remembered, but has it no longer."""
    return out_of_hands(case) | {
        "department": None,
        "previous_department": case.department or case.previous_department,
    }


def new_cycle(case: Case) -> dict[str, Any]:
    """Back at the office, and everything is promised anew."""
    return to_triage(case) | {
        "cycle": case.cycle + 1,
        "binding": False,
        "words_owed_since": None,
        "extension": None,
        "parts": (),
        "ended_at": None,
        "reopening_refused": False,
        "appeal_dismissed": False,
    }


def wrong(field: str, zh: str, en: str) -> Unacceptable:
    """422 that names the field."""
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})


def in_future(until: datetime | None, at: datetime) -> datetime | None:
    """`until`, which where it is given lies after now, and not beyond what anybody plans."""
    if until is not None and (refused := not_ahead(until, at)) is not None:
        raise wrong("until", *refused)
    return until
