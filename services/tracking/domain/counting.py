"""What a case counts for. Counters are sums over cases, kept current by differences.

A key is ``(measure, scope, bucket, department, detail)``. What is true at present stands in the
bucket `NOW`; what happened stands in the hour or local day it belongs to. Every sum is kept for
all cases (scope ""), for those of each category, channel, priority and reporter group, and for
each combination of the four, from which any two or three of them are added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import product

from services.tracking.domain.case import Case
from services.tracking.domain.occurrences import Occurrence
from services.tracking.domain.periods import NOW, day_of, hour_of, weekday_hour
from shared.contracts.sla import ClockChange
from shared.contracts.vocabulary import OPEN, Clock

Counts = dict[tuple[str, datetime, str], int]
"""``(measure, bucket, detail)`` → n: what one case adds, wherever it belongs."""
Scopes = tuple[tuple[str, str], ...]
"""The ``(scope, department)`` pairs a case is counted under."""
Key = tuple[str, str, datetime, str, str]
Sums = dict[Key, int]

FILTERS = ("category", "channel", "priority", "reporter_group")
"""What cases can be chosen by besides their department, in the order in which a cell names them."""
CELL = "cell:"
TIMED = frozenset({Clock.FIRST_RESPONSE, Clock.RESOLUTION, Clock.ACCEPT})
"""Clocks whose working time is kept for percentiles."""
READ_ANEW = frozenset({"due", "open_since"})
"""Sums that move on days other than today as cases come and go."""
_HALVES = {"yes": 2, "partly": 1}


def scopes_of(case: Case) -> Scopes:
    """Where this case is counted."""
    department = case.department or ""
    values = [_plain(getattr(case, name)) for name in FILTERS]
    single = [f"{name}:{value}" for name, value in zip(FILTERS, values, strict=True)]
    return tuple((scope, department) for scope in ("", *single, CELL + ":".join(values)))


def elsewhere(scopes: Scopes, department: str) -> Scopes:
    """The same scopes in another department: whose an occurrence was."""
    return tuple((scope, department) for scope, _ in scopes)


def scope_of(filters: Mapping[str, str]) -> str | None:
    """Where the sums of at most one of the `FILTERS` stand; None: those of more are in cells."""
    if not filters:
        return ""
    if len(filters) > 1:
        return None
    ((name, value),) = filters.items()
    return f"{name}:{_plain(value)}"


def cells_of(filters: Mapping[str, str], singles: Iterable[str]) -> list[str]:
    """The cells whose sums add up to those of two `FILTERS` or more.

    `singles`: the scopes of single filters there are, which say what values the others may have.
    """
    values: defaultdict[str, list[str]] = defaultdict(list)
    for single in singles:
        name, _, value = single.partition(":")
        values[name].append(value)
    wanted = [[_plain(filters[n])] if n in filters else sorted(values[n]) for n in FILTERS]
    return [CELL + ":".join(cell) for cell in product(*wanted)]


def _plain(value: str | None) -> str:
    return (value or "").replace(":", ";")


def counts_of(case: Case) -> Counts:
    """Everything this case adds to the counters as it is now."""
    counts: Counts = {("state", NOW, case.state): 1}
    day = day_of(case.received_at)
    if case.state in OPEN:
        counts["open_since", day, ""] = 1
        if case.overdue:
            counts["overdue", NOW, ""] = 1
        elif case.due_at is not None:
            counts["due", day_of(case.due_at), ""] = 1
        if case.at_risk:
            counts["at_risk", NOW, ""] = 1
        if case.resolution_overdue:
            counts["late", NOW, ""] = 1
    counts["received", hour_of(case.received_at), ""] = 1
    counts["received_day", day, ""] = 1
    counts["arrived", day, weekday_hour(case.received_at)] = 1
    counts["channel", day, case.channel] = 1
    counts["category", day, case.category or ""] = 1
    if case.reporter_group:
        counts["group", day, case.reporter_group] = 1
    if Clock.RESOLUTION in case.promises:
        counts["promised", day, ""] = 1
        if case.extended:
            counts["extended", day, ""] = 1
        if case.measured.get("broken"):
            counts["broken", day, ""] = 1
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
    if case.replied_at is not None and case.outcome is not None:
        counts["outcome", day_of(case.replied_at), case.outcome] = 1
    if case.rated_at is not None:
        day = day_of(case.rated_at)
        counts["asked", day, ""] = 1
        if halves := _HALVES.get(case.solved or ""):
            counts["solved_halves", day, ""] = halves
        if case.stars is not None:
            counts["ratings", day, ""] = 1
            if case.stars >= 4:
                counts["satisfied", day, ""] = 1
    if case.first_due_at is not None:
        day = day_of(case.first_due_at)
        counts["first_due", day, ""] = 1
        if case.promises[Clock.FIRST_RESPONSE].get("in_time"):
            counts["first_in_time", day, ""] = 1
    return counts


def band_scopes_of(department: str | None, case: Case) -> list[str]:
    """Where the band of a duration is counted: for all, and for each filter by itself."""
    values = [("department", department), *((name, getattr(case, name)) for name in FILTERS)]
    return ["", *(f"{name}:{_plain(value)}" for name, value in values)]


def band_scope_of(filters: Mapping[str, str], department: str | None) -> str | None:
    """Where the bands of at most one filter stand, the department being one; None: nowhere."""
    if department is None:
        return scope_of(filters)
    return None if filters else f"department:{_plain(department)}"


def days_of(sums: Sums) -> set[datetime]:
    """The days whose sums these keys change: neither what is true at present nor the open cases,
    which are read anew each time."""
    return {
        day_of(bucket)
        for measure, scope, bucket, _, _ in sums
        if not scope and bucket != NOW and measure not in READ_ANEW
    }


def counts_of_met(change: ClockChange) -> Counts:
    """What a promise that was met adds, for ever: a reopening does not take it back."""
    day = day_of(change.at)
    if change.clock is Clock.RESOLUTION:
        return {("closed", day, ""): 1, ("closed_in_time", day, ""): int(bool(change.in_time))}
    if change.clock is Clock.FIRST_RESPONSE:
        return {
            ("first_responses", day, ""): 1,
            ("first_seconds", day, ""): change.working_seconds or 0,
        }
    return {}


def counts_of_occurrence(one: Occurrence) -> Counts:
    """What something that happened adds, for ever."""
    day = day_of(one.at)
    match one.kind:
        case "dispatch":
            return {("dispatches", day, one.detail): 1}
        case "return":
            return {("returns", day, ""): 1}
        case "breach":
            return {("breaches", day, one.detail): 1}
        case "reason":
            return {("reasons", day, one.detail): 1}
        case "undelivered" | "uncertain":
            return {(one.kind, day, one.detail): 1}
        case "state":
            return {
                ("dwell", day, one.detail): 1,
                ("dwell_seconds", day, one.detail): one.seconds or 0,
            }
        case "hands":
            return {("hands", day, ""): 1, ("hands_seconds", day, ""): one.seconds or 0}
    return {}


def counts_of_sent_back(sent_at: datetime) -> Counts:
    """What a return adds to the day of the dispatch that it undoes: a rate of returns is one of
    what was sent then, whenever it comes back."""
    return {("sent_back", day_of(sent_at), ""): 1}


def spread(counts: Counts, scopes: Scopes, times: int = 1) -> Sums:
    """`counts` under every pair of `scopes`."""
    return {
        (measure, scope, bucket, department, detail): n * times
        for scope, department in scopes
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
            day = day_of(at)
            return counts | {
                ("flow", day, ""): 1,
                ("overdue_flow", day, ""): int(("overdue", NOW, "") in counts),
                ("late_flow", day, ""): int(("late", NOW, "") in counts),
            }
    return counts


def difference(
    before: Counts, old: Scopes, after: Counts, new: Scopes, at: datetime
) -> list[tuple[Sums, int]]:
    """What the counters gain and lose when a case goes from `before` to `after`."""
    before, after = with_flow(before, at), with_flow(after, at)
    if old == new:
        changed = {
            key: n - before.get(key, 0) for key, n in after.items() if n != before.get(key, 0)
        } | {key: -n for key, n in before.items() if key not in after}
        return [(spread(changed, new), 1)] if changed else []
    return [(spread(before, old), -1), (spread(after, new), 1)]
