"""What a case counts for. Counters are sums over cases, kept current by differences.

A key is ``(measure, bucket, department, detail)``. What is true at present stands in the bucket
`NOW`; what happened stands in the hour or local day it belongs to.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from services.tracking.domain.case import Case
from services.tracking.domain.periods import NOW, day_of, hour_of
from shared.contracts.sla import SlaMet
from shared.contracts.vocabulary import OPEN, Clock

Key = tuple[str, datetime, str, str]
Counts = Counter[Key]

TIMED = frozenset({Clock.FIRST_RESPONSE, Clock.RESOLUTION, Clock.ACCEPT})
"""Clocks whose working time is kept for percentiles."""


def counts_of(case: Case) -> Counts:
    """Everything this case adds to the counters as it is now."""
    dept = case.department or ""
    counts: Counts = Counter()

    def count(measure: str, bucket: datetime, n: int = 1, detail: str = "") -> None:
        counts[measure, bucket, dept, detail] += n

    count("state", NOW, detail=case.state)
    if case.state in OPEN:
        if case.overdue:
            count("overdue", NOW)
        elif case.due_at is not None:
            count("due", day_of(case.due_at))
        if case.resolution_overdue:
            count("resolution_overdue", NOW)
    day = day_of(case.received_at)
    count("received", hour_of(case.received_at))
    count("received_day", day)
    count("channel", day, detail=case.channel)
    count("category", day, detail=case.category or "")
    if case.first_dispatched_at is not None:
        day = day_of(case.first_dispatched_at)
        count("dispatched", day)
        count("hops", day, case.dispatches)
        if case.returns:
            count("returned", day)
        elif case.dispatches == 1:
            count("dispatched_right", day)
    if case.first_replied_at is not None:
        day = day_of(case.first_replied_at)
        count("answered", day)
        if case.reopenings:
            count("reopened", day)
    if case.rated_at is not None:
        day = day_of(case.rated_at)
        count("ratings", day)
        if (case.stars or 0) >= 4:
            count("satisfied", day)
        if halves := {"yes": 2, "partly": 1}.get(case.solved or ""):
            count("solved_halves", day, halves)
    first = case.promises.get(Clock.FIRST_RESPONSE)
    if first is not None and ("met_at" in first or first["status"] == "breached"):
        day = day_of(datetime.fromisoformat(first["due"]))
        count("first_due", day)
        if first.get("in_time"):
            count("first_in_time", day)
    return counts


def counts_of_met(fact: SlaMet, department: str | None) -> Counts:
    """What a promise that ended adds, once and for ever: a reopening does not take it back."""
    dept, day = department or "", day_of(fact.at)
    counts: Counts = Counter()
    if fact.clock is Clock.RESOLUTION:
        counts["closed", day, dept, ""] = 1
        if fact.in_time:
            counts["closed_in_time", day, dept, ""] = 1
    elif fact.clock is Clock.FIRST_RESPONSE:
        counts["first_responses", day, dept, ""] = 1
        counts["first_seconds", day, dept, ""] = fact.working_seconds
    return counts


def flow(before: Counts, after: Counts, at: datetime) -> Counts:
    """How the open and the overdue moved on the day of `at`, by department: the trend's source."""
    moved: Counts = Counter()
    for sign, counts in ((-1, before), (1, after)):
        for (measure, _, dept, detail), n in counts.items():
            if measure == "state" and detail in OPEN:
                moved["flow", day_of(at), dept, ""] += sign * n
            elif measure == "overdue":
                moved["overdue_flow", day_of(at), dept, ""] += sign * n
    return moved
