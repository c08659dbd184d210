"""What a case counts for. Counters are sums over cases, kept current by differences.

A key is ``(measure, scope, bucket, department, detail)``. What is true at present stands in the
bucket `NOW`; what happened stands in the hour or local day it belongs to. Every sum is kept for
all cases (scope "") and for those of each category and of each channel.
"""

from __future__ import annotations

from datetime import datetime

from services.tracking.domain.case import Case
from services.tracking.domain.periods import NOW, day_of, hour_of
from shared.contracts.sla import SlaMet
from shared.contracts.vocabulary import OPEN, Clock

Counts = dict[tuple[str, datetime, str], int]
"""``(measure, bucket, detail)`` → n: what one case adds, wherever it belongs."""
Place = tuple[tuple[str, str], ...]
"""The ``(scope, department)`` pairs a case is counted under."""
Key = tuple[str, str, datetime, str, str]
Sums = dict[Key, int]

TIMED = frozenset({Clock.FIRST_RESPONSE, Clock.RESOLUTION, Clock.ACCEPT})
"""Clocks whose working time is kept for percentiles."""
_HALVES = {"yes": 2, "partly": 1}


def place_of(case: Case) -> Place:
    """Where this case is counted."""
    department = case.department or ""
    return (
        ("", department),
        (scope_of(category=case.category or ""), department),
        (scope_of(channel=case.channel), department),
    )


def scope_of(*, category: str | None = None, channel: str | None = None) -> str:
    """The name of the sums of one category or one channel; "" for those of all cases."""
    if category is not None:
        return f"category:{category}"
    return "" if channel is None else f"channel:{channel}"


def counts_of(case: Case) -> Counts:
    """Everything this case adds to the counters as it is now."""
    counts: Counts = {("state", NOW, case.state): 1}
    if case.state in OPEN:
        if case.overdue:
            counts["overdue", NOW, ""] = 1
        elif case.due_at is not None:
            counts["due", day_of(case.due_at), ""] = 1
        if case.resolution_overdue:
            counts["resolution_overdue", NOW, ""] = 1
    day = day_of(case.received_at)
    counts["received", hour_of(case.received_at), ""] = 1
    counts["received_day", day, ""] = 1
    counts["channel", day, case.channel] = 1
    counts["category", day, case.category or ""] = 1
    if case.first_dispatched_at is not None:
        day = day_of(case.first_dispatched_at)
        counts["dispatched", day, ""] = 1
        counts["hops", day, ""] = case.dispatches
        if case.returns:
            counts["returned", day, ""] = 1
        elif case.dispatches == 1:
            counts["dispatched_right", day, ""] = 1
    if case.first_replied_at is not None:
        day = day_of(case.first_replied_at)
        counts["answered", day, ""] = 1
        if case.reopenings:
            counts["reopened", day, ""] = 1
    if case.rated_at is not None:
        day = day_of(case.rated_at)
        counts["ratings", day, ""] = 1
        if (case.stars or 0) >= 4:
            counts["satisfied", day, ""] = 1
        if halves := _HALVES.get(case.solved or ""):
            counts["solved_halves", day, ""] = halves
    first = case.promises.get(Clock.FIRST_RESPONSE)
    if first is not None and ("met_at" in first or first["status"] == "breached"):
        day = day_of(datetime.fromisoformat(first["due"]))
        counts["first_due", day, ""] = 1
        if first.get("in_time"):
            counts["first_in_time", day, ""] = 1
    return counts


def counts_of_met(fact: SlaMet) -> Counts:
    """What a promise that ended adds, once and for ever: a reopening does not take it back."""
    day = day_of(fact.at)
    if fact.clock is Clock.RESOLUTION:
        return {("closed", day, ""): 1, ("closed_in_time", day, ""): int(fact.in_time)}
    if fact.clock is Clock.FIRST_RESPONSE:
        return {
            ("first_responses", day, ""): 1,
            ("first_seconds", day, ""): fact.working_seconds,
        }
    return {}


def spread(counts: Counts, place: Place, times: int = 1) -> Sums:
    """`counts` under every pair of `place`."""
    return {
        (measure, scope, bucket, department, detail): n * times
        for scope, department in place
        for (measure, bucket, detail), n in counts.items()
        if n
    }


def with_flow(counts: Counts, at: datetime) -> Counts:
    """`counts` and the flows: how the open and the overdue move on the day of `at`.

    A flow never leaves its day, so that the number open on any day can be counted back from the
    present one.
    """
    for measure, _, detail in counts:
        if measure == "state" and detail in OPEN:
            overdue = ("overdue", NOW, "") in counts
            day = day_of(at)
            return counts | {("flow", day, ""): 1, ("overdue_flow", day, ""): int(overdue)}
    return counts


def difference(
    before: Counts, old: Place, after: Counts, new: Place, at: datetime
) -> list[tuple[Sums, int]]:
    """What the counters gain and lose when a case goes from `before` to `after`."""
    before, after = with_flow(before, at), with_flow(after, at)
    if old == new:
        changed = {
            key: n - before.get(key, 0) for key, n in after.items() if n != before.get(key, 0)
        } | {key: -n for key, n in before.items() if key not in after}
        return [(spread(changed, new), 1)] if changed else []
    return [(spread(before, old), -1), (spread(after, new), 1)]
