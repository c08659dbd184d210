"""The promises of a case, gathered from what sla tells, and the order in which cases break."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.contracts.sla import (
    ClockFact,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaPaused,
    SlaPromised,
    SlaResumed,
)
from shared.contracts.vocabulary import OPEN, Clock, State

Promises = dict[str, dict[str, Any]]
"""Clock → ``{cycle, due, first_due, status, breached}`` of its latest cycle; times as ISO text."""

NO_DUE = datetime(2900, 1, 1, tzinfo=UTC)
"""Rank of an open case with no running promise: after all that have one."""
NOT_OPEN = datetime(3000, 1, 1, tzinfo=UTC)
"""Rank from which a case is not open any more; the newest of them first."""
_BACKWARDS_FROM = datetime(2500, 1, 1, tzinfo=UTC)

FINISHED = frozenset({"met", "cancelled"})


def take(promises: Mapping[str, dict[str, Any]], fact: ClockFact) -> Promises:
    """The promises after `fact`; one of an earlier cycle changes nothing."""
    clock = str(fact.clock)
    known = promises.get(clock)
    if known is not None and known["cycle"] > fact.cycle:
        return dict(promises)
    if known is None or known["cycle"] < fact.cycle:
        known = {"cycle": fact.cycle, "status": "running", "breached": False}
    changed = known | {"due": fact.due.isoformat(), "first_due": fact.first_due.isoformat()}
    match fact:
        case SlaPromised() if known["status"] == "cancelled":
            changed["status"] = "running"
        case SlaBreached():
            changed["breached"] = True
        case SlaMet():
            changed["status"] = "met"
            changed["breached"] = known["breached"] or not fact.in_time
        case SlaPaused():
            changed["status"] = "paused"
        case SlaResumed():
            changed["status"] = "running"
        case SlaCancelled():
            changed["status"] = "cancelled"
    return dict(promises) | {clock: changed}


def status_of(promise: Mapping[str, Any]) -> str:
    """``running``, ``paused``, ``met``, ``breached`` or ``cancelled``; a breach stays in sight."""
    return "breached" if promise["breached"] else str(promise["status"])


def running(promises: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Clock → due of the promises that still run, late ones too.

    The follow-up is left out: it is time for the reporter to answer, not work that can be late.
    """
    return {
        clock: promise["due"]
        for clock, promise in promises.items()
        if promise["status"] == "running" and clock != Clock.FOLLOW_UP
    }


def rank(state: State, promises: Mapping[str, Mapping[str, Any]], received: datetime) -> datetime:
    """When the case breaks; a moment far away for one that cannot, ended ones last."""
    if state not in OPEN:
        return NOT_OPEN + (_BACKWARDS_FROM - received)
    due = [datetime.fromisoformat(at) for at in running(promises).values()]
    return min(due, default=NO_DUE)
