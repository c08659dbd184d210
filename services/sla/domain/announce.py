"""How what changed in a case's clocks is told to the other services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from services.sla.domain.clocks import Mark, MarkKind
from services.sla.domain.facts import CaseClocks, Change, Fact, FactKind
from services.sla.domain.policy import OF_THE_LIBRARY
from shared.contracts import Event
from shared.contracts.sla import (
    EscalationRaised,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaPaused,
    SlaPromised,
    SlaResumed,
    SlaWarned,
)


def announce(feedback_id: str, change: Change, *, at: datetime) -> Iterator[Event]:
    """The facts to tell, in order. A mark carries its own moment, everything else `at`."""
    for fact in change.facts:
        yield from _events(feedback_id, change.case, fact, at)


def _events(feedback_id: str, case: CaseClocks, fact: Fact, at: datetime) -> Iterator[Event]:
    timer = fact.timer
    about: dict[str, Any] = {
        "feedback_id": feedback_id,
        "at": at,
        "clock": timer.clock,
        "cycle": timer.cycle,
        "due": timer.due,
        "first_due": timer.first_due,
        "department": None if timer.clock in OF_THE_LIBRARY else case.department or None,
    }
    match fact.kind:
        case FactKind.PROMISED:
            yield SlaPromised(
                **about,
                started=timer.started_at,
                priority=case.priority,
                policy_version=case.policy_version,
                reason=fact.reason or None,
            )
        case FactKind.MET:
            worked = int(fact.worked.total_seconds()) if fact.worked else 0
            yield SlaMet(**about, in_time=fact.in_time, working_seconds=worked)
        case FactKind.PAUSED:
            yield SlaPaused(**about)
        case FactKind.RESUMED:
            yield SlaResumed(**about)
        case FactKind.CANCELLED:
            yield SlaCancelled(**about)
        case FactKind.MARKED:
            assert fact.mark is not None
            yield from _marks(about | {"at": fact.mark.at}, fact, fact.mark)


def _marks(about: dict[str, Any], fact: Fact, mark: Mark) -> Iterator[Event]:
    """A level that was reached. `store.marks` says the same in SQL; a test compares them."""
    if mark.kind is MarkKind.ELAPSED:
        waited = int(fact.timer.budget.total_seconds())
        yield SlaMet(**about, in_time=True, working_seconds=waited)
        return
    if mark.kind is MarkKind.WARNED:
        yield SlaWarned(**about, level=mark.level)
    elif mark.kind is MarkKind.BREACHED:
        yield SlaBreached(**about)
    if mark.to is not None:
        yield EscalationRaised(**about, level=mark.level, to_role=mark.to)
