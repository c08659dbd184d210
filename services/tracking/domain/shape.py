"""The shape of what comes in and of what lies there: trends, ages, hours, ways of cases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.tracking.domain.measures import DWELL, is_surge
from services.tracking.domain.periods import ONE_DAY, day_of
from services.tracking.domain.sums import Sum
from shared.contracts.vocabulary import OPEN, State
from shared.moments import local

AGES = (1, 3, 7, 14, 30)
"""Days at which a band of the backlog ends; the last band has no end."""
LINES = 6
"""So many categories have a line of their own in the trend."""


def trend(sums: Iterable[Sum], first: datetime, end: datetime, step: timedelta) -> dict[str, Any]:
    """``{from, to, days, lines: [{category, n: [...]}]}``: received by day or week; the
    rest last, as category None."""
    by: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
    for one in sums:
        if one.bucket is not None and one.n:
            by[one.detail][one.bucket] += one.n
    steps = []
    moment = first
    while moment < end:
        steps.append(moment)
        moment += step
    most = sorted(by, key=lambda code: (-by[code].total(), code))
    lines: list[dict[str, Any]] = [
        {"category": code, "n": [by[code][at] for at in steps]} for code in most[:LINES]
    ]
    if rest := most[LINES:]:
        lines.append({"category": None, "n": [sum(by[c][at] for c in rest) for at in steps]})
    return {
        "from": [local(at) for at in steps],
        "to": local(end),
        "days": step // ONE_DAY,
        "lines": lines,
    }


def heat(by_hour: Mapping[str, int]) -> list[list[int]]:
    """Received on each weekday (Monday first) in each hour."""
    found = [[0] * 24 for _ in range(7)]
    for at, n in by_hour.items():
        day, _, hour = at.partition("-")
        found[int(day) - 1][int(hour)] = n
    return found


def age_bounds(now: datetime) -> list[tuple[datetime | None, datetime]]:
    """For each band of ages, youngest first: received from (None: ever) until."""
    tomorrow = day_of(now) + ONE_DAY
    starts = [tomorrow - days * ONE_DAY for days in AGES]
    ends = [tomorrow, *starts]
    return list(zip([*starts, None], ends, strict=True))


def ages(sums: Iterable[Sum], total: int, now: datetime) -> list[dict[str, Any]]:
    """``[{days, n, from, to}]``: open cases by how many days ago they came, today being the first;
    older than the last band is what is left of all."""
    by_day: Counter[datetime] = Counter()
    for one in sums:
        if one.bucket is not None:
            by_day[one.bucket] += one.n
    bands: list[dict[str, Any]] = []
    for days, (first, end) in zip([*AGES, None], age_bounds(now), strict=True):
        if first is None:
            n = total - sum(band["n"] for band in bands)
        else:
            n = sum(k for day, k in by_day.items() if first <= day < end)
        bands.append({"days": days, "n": n, "from": local(first), "to": local(end)})
    return bands


def flow(sums: Iterable[Sum]) -> list[dict[str, Any]]:
    """``[{from, to, n}]``: how often a case went from one department to another, most often first;
    from "" it came from nobody."""
    ways: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in sums:
        ways[one.detail, one.department] += one.n
    order = sorted((-n, way) for way, n in ways.items() if n)
    return [{"from": way[0], "to": way[1], "n": -n} for n, way in order]


def dwell(in_period: Mapping[str, int]) -> list[dict[str, Any]]:
    """``[{state, hours, n}]``: how long cases stood at each step, by the clock."""
    found = []
    for state in State:
        if state not in OPEN:
            continue
        sums = {name: in_period.get(f"{name}:{state}", 0) for name in ("dwell", "dwell_seconds")}
        figure = DWELL.of(sums)
        if figure.value is not None:
            found.append({"state": state.value, "hours": round(figure.value, 2), "n": figure.n})
    return found


def surges(sums: Iterable[Sum], today: datetime, weeks: int) -> list[dict[str, Any]]:
    """``[{category, n, usual}]``: what came today in unusual numbers, against the same weekday."""
    now: Counter[str] = Counter()
    then: Counter[str] = Counter()
    for one in sums:
        (now if one.bucket == today else then)[one.detail] += one.n
    found = [
        {"category": code, "n": n, "usual": round(then[code] / weeks, 1)}
        for code, n in now.items()
        if is_surge(n, then[code] / weeks)
    ]
    return sorted(found, key=lambda one: (-one["n"], one["category"]))
