"""The order in which cases break, from the promises that sla emits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts.sla import (
    Change,
    KeptPromises,
    PromiseStatus,
    SlaBreached,
    SlaPromisesChanged,
    SlaWarned,
    still_runs,
)
from shared.contracts.vocabulary import OPEN, Clock, State

SOON = timedelta(hours=2)
TO_THE_REPORTER = (Clock.FIRST_RESPONSE, Clock.NEXT_RESPONSE, Clock.RESOLUTION)
ON_TOP = datetime(1000, 1, 1, tzinfo=UTC)
"""Rank of words that are owed an answer without a promise: before all, the oldest first."""
NOT_ON_TOP = datetime(1900, 1, 1, tzinfo=UTC)
"""Ranks from here on are moments at which something is due."""
ALARMED = datetime(100, 1, 1, tzinfo=UTC)
"""Rank of what may be an emergency while nobody has done anything about it: before all else."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_DUE = datetime(2900, 1, 1, tzinfo=UTC)
"""Rank of an open case with no running promise: after all that have one."""
NOT_OPEN = datetime(3000, 1, 1, tzinfo=UTC)
"""Rank from which a case is not open any more; the newest of them first."""
_BACKWARDS_FROM = datetime(2500, 1, 1, tzinfo=UTC)


def running(promises: Mapping[str, Mapping[str, Any]]) -> dict[str, datetime]:
    """Clock → deadline of the promises that still run, late ones too; the earliest first.

    The follow-up is left out: it is time for the reporter to answer, not work that can be late.
    """
    due = {
        clock: datetime.fromisoformat(promise["due"])
        for clock, promise in promises.items()
        if clock != Clock.FOLLOW_UP and still_runs(promise)
    }
    return dict(sorted(due.items(), key=lambda pair: pair[1]))


def reasons_owed(owed: Iterable[str], event: SlaBreached) -> list[str]:
    """The clocks that a reason is owed for, now that this promise was broken.

    What the reporter was promised, by the department that had it; the office owes none to itself.
    """
    if event.clock not in TO_THE_REPORTER or event.department is None:
        return list(owed)
    return list(dict.fromkeys((*owed, event.clock.value)))


def without(clocks: Iterable[str], clock: str | None) -> tuple[str, ...]:
    """The other clocks: what is owed still once this one was explained, or what was said of others
    once this one was broken anew."""
    return tuple(one for one in clocks if one != clock)


def explained(owed: Iterable[str], given: Iterable[str], clock: Clock) -> dict[str, Any]:
    """What a case knows of reasons once somebody has said why this promise was broken."""
    return {
        "reasons_owed": without(owed, clock),
        "reasons_given": (*without(given, clock), clock.value),
    }


def with_warnings(
    before: KeptPromises, after: KeptPromises, warned: SlaWarned | None = None
) -> KeptPromises:
    """`after` with what is known of warnings: one counts for the deadline it was given for."""
    marked = {}
    for clock, promise in after.items():
        level = before.get(clock, {}).get("warned")
        if any(before.get(clock, {}).get(k) != promise[k] for k in ("cycle", "due")):
            level = None
        if warned is not None and (clock, promise["cycle"]) == (warned.clock, warned.cycle):
            level = warned.level
        marked[clock] = promise if level is None else promise | {"warned": level}
    return marked


def asks_for_date(promises: Mapping[str, Mapping[str, Any]], now: datetime) -> bool:
    """Whether the day that was promised for the end is near, and whoever will not make it should
    say so now: it was warned of, or comes within `SOON`."""
    promise = promises.get(Clock.RESOLUTION)
    if promise is None or promise["status"] != PromiseStatus.RUNNING:
        return False
    left = datetime.fromisoformat(promise["due"]) - now
    return left > timedelta() and (promise.get("warned") is not None or left <= SOON)


def follow_up_ran_out(event: SlaPromisesChanged) -> bool:
    """True when the time for objections has passed, in the cycle that counts now."""
    now = {promise.clock: promise.cycle for promise in event.promises}
    return any(
        change.clock is Clock.FOLLOW_UP
        and change.change is Change.MET
        and change.cycle == now.get(change.clock)
        for change in event.changes
    )


def rank_not_open(received: datetime) -> datetime:
    """Where a case stands that is not open any more."""
    return NOT_OPEN + (_BACKWARDS_FROM - received)


def next_due_at(
    state: State,
    promises: Mapping[str, Mapping[str, Any]],
    *,
    received: datetime,
    owed_since: datetime | None = None,
    alarmed_at: datetime | None = None,
) -> datetime:
    """When the next promise breaks; a moment far away where none runs, ended cases last.

    An alarm that nobody has answered (`alarmed_at`) comes before all. Words after a reply
    (`owed_since`) make work of the case again: on top, until a promise says when they are to be
    answered.
    """
    if state not in OPEN and owed_since is None:
        return rank_not_open(received)
    if alarmed_at is not None and state in OPEN:
        return ALARMED + (alarmed_at - _EPOCH)
    default = NO_DUE if owed_since is None else ON_TOP + (owed_since - _EPOCH)
    return min(running(promises).values(), default=default)
