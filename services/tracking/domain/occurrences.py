"""What happened to a case at one moment and counts for ever: the second thing a number is made of.

Besides, whatever a case is counted by (a first dispatch, a reply, a rating) happened, so that the
cases behind a number of a period are found among those something happened to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from services.tracking.domain.case import Case
from shared.contracts import Event
from shared.contracts.desk import (
    CaseBreachExplained,
    CaseDispatched,
    CaseFollowedUp,
    CaseReplied,
    CaseReturned,
)
from shared.contracts.intake import FeedbackRated
from shared.contracts.notification import NotificationFailed
from shared.contracts.sla import SlaBreached, SlaSegmentEnded
from shared.contracts.vocabulary import OPEN


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened. `kind`:

    ``dispatch`` (`detail`: the department that had it before, "" for none; `department`: the
    new one), ``return``, ``breach`` (the clock), ``reason`` (why one was missed, as a code),
    ``reply`` (the outcome), ``rating``, ``undelivered`` and ``uncertain`` (the channel),
    ``state`` (the state that was left after `seconds`), ``late`` (no longer late with the promise
    to the reporter, after `seconds`), ``hands`` (a department's time with it is over: `seconds`
    of working time).
    """

    kind: str
    detail: str
    department: str
    at: datetime
    seconds: int | None = None
    instead: Mapping[str, Any] | None = None
    """What it takes the place of, which counts no more; see ``reasons`` of `with_measured`."""


def occurrences_of(before: Case, event: Event) -> Iterator[Occurrence]:
    """What `event` says that happened to the case, which was `before`."""
    match event:
        case CaseDispatched():
            had_it = event.previous_department or before.measured.get("last_department") or ""
            yield Occurrence("dispatch", had_it, event.department, event.at)
        case CaseReturned():
            yield Occurrence("return", "", event.department, event.at)
        case CaseReplied():
            department = before.department or event.department or ""
            yield Occurrence("reply", event.outcome.value, department, event.at)
        case FeedbackRated() | CaseFollowedUp():
            yield Occurrence("rating", "", before.department or "", event.at)
        case SlaBreached():
            department = event.department or before.department or ""
            yield Occurrence("breach", event.clock.value, department, event.at)
        case CaseBreachExplained():
            department = event.department or before.department or ""
            said = before.measured.get("reasons", {}).get(event.clock.value)
            yield Occurrence("reason", event.code, department, event.at, instead=said)
        case NotificationFailed():
            kind = "uncertain" if event.uncertain else "undelivered"
            yield Occurrence(kind, event.channel, before.department or "", event.at)
        case SlaSegmentEnded():
            yield Occurrence("hands", "", event.department, event.at, event.working_seconds)


def said_before(kind: str, said: Mapping[str, Any]) -> tuple[Occurrence, Any]:
    """What `Occurrence.instead` names, as it was kept, and what of its case it was counted by."""
    at = datetime.fromisoformat(said["at"])
    return Occurrence(kind, said["code"], said["department"], at), SimpleNamespace(**said)


def stays(
    before: Case, after: Case, *, moved: bool, at: datetime
) -> tuple[list[Occurrence], dict[str, Any]]:
    """What ended at that moment: its time in a state, and that it was late.

    `moved`: it is counted elsewhere from now on (another department, category …), so that being
    late begins anew there. Gives besides what of `measured` changes.
    """
    ended: list[Occurrence] = []
    changed: dict[str, Any] = {}
    department = before.department or ""
    if before.state != after.state:
        since = before.measured.get("state_since")
        if before.state in OPEN and since:
            ended.append(Occurrence("state", before.state, department, at, _seconds(since, at)))
        changed["state_since"] = at.isoformat()
    was_late = before.state in OPEN and before.resolution_overdue
    is_late = after.state in OPEN and after.resolution_overdue
    if was_late and (moved or not is_late):
        since = before.measured.get("late_since") or at.isoformat()
        ended.append(Occurrence("late", "", department, at, _seconds(since, at)))
    if is_late and (moved or not was_late):
        changed["late_since"] = at.isoformat()
    elif was_late and not is_late:
        changed["late_since"] = None
    return ended, changed


def _seconds(since: str, at: datetime) -> int:
    return max(0, int((at - datetime.fromisoformat(since)).total_seconds()))
