"""Departments beside each other: ranked only where there is enough to go by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any

from services.tracking.domain.measures import BY_DEPARTMENT, lower_bound
from services.tracking.domain.sums import Sum, totals
from shared.contracts.vocabulary import OPEN

SUMS = (
    "closed",
    "closed_in_time",
    "first_due",
    "first_in_time",
    "outcome",
    "ratings",
    "satisfied",
    "dispatches",
    "returns",
    "sent_back",
    "breaches",
    "hands",
    "hands_seconds",
)
MINIMUM_CASES = 10
"""A department with fewer is shown but not ranked, and is no part of a median."""


def compare(
    present: list[Sum], in_period: Iterable[Sum], late_flow: Iterable[Sum], own: str | None
) -> dict[str, Any]:
    """``{rows: [{department, open, overdue, breaches, rank, …}], median}``.

    Each measure is ``{rate, n}``, `on_time` has the ``lower`` bound it is ranked by. `own`: the
    only department that is shown, with the median of all beside it. `late_flow`: who became late
    since the period ended.
    """
    by: defaultdict[str, list[Sum]] = defaultdict(list)
    for one in in_period:
        by[one.department].append(one)
    late_then: Counter[str] = Counter()
    for one in late_flow:
        late_then[one.department] -= one.n
    now: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in present:
        if one.measure == "overdue" or (one.measure == "state" and one.detail in OPEN):
            now[one.department][one.measure] += one.n
        elif one.measure == "late":
            late_then[one.department] += one.n
    rows = [
        _row(department, by[department], late_then[department], now[department])
        for department in sorted({*by, *late_then, *now})
        if department
    ]
    rows = [row for row in rows if row.pop("any")]
    ranked = sorted(
        (row for row in rows if row["on_time"]["n"] >= MINIMUM_CASES),
        key=lambda row: (-row["on_time"]["lower"], row["department"]),
    )
    for place, row in enumerate(ranked, 1):
        row["rank"] = place
    rest = [row for row in rows if row["rank"] is None]
    found = {
        "rows": ranked + sorted(rest, key=lambda row: (-row["on_time"]["n"], row["department"])),
        "median": {one.key: _median(rows, one.key) for one in BY_DEPARTMENT},
    }
    if own is None:
        return found
    mine = [row | {"rank": None} for row in rows if row["department"] == own]
    return found | {"rows": mine}


def _row(department: str, sums: list[Sum], late: int, now: Counter[str]) -> dict[str, Any]:
    counted = totals(sums)
    counted["late"] = late
    row: dict[str, Any] = {
        "department": department,
        "rank": None,
        "open": now["state"],
        "overdue": now["overdue"],
        "breaches": counted["breaches"],
    }
    for measure in BY_DEPARTMENT:
        figure = measure.of(counted)
        row[measure.key] = {
            "rate": None if figure.value is None else round(figure.value, 4),
            "n": figure.n,
        }
    on_time = row["on_time"]
    on_time["lower"] = (
        round(lower_bound(on_time["rate"], on_time["n"]), 4) if on_time["n"] else None
    )
    row["any"] = any(counted.values()) or any(now.values())
    return row


def _median(rows: list[dict[str, Any]], key: str) -> float | None:
    values = [row[key]["rate"] for row in rows if row[key]["n"] >= MINIMUM_CASES]
    return round(median(values), 4) if values else None
