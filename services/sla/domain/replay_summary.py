"""What a replayed past amounts to: kept and broken promises, and how long answers took."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from datetime import timedelta
from itertools import chain
from typing import Any

from services.sla.domain.replaying import Judged, Odd, Promised, Standing, Why

HOURS = (4, 8, 24, 48, 72, 168)
"""Elapsed hours within which answers are counted."""


MOST_DEPARTMENTS = 1000
"""What has more names than this is no column of departments: the rest is counted together."""
THE_REST = "*"


class Group:
    """The cases of a department; eight bytes a case and duration are kept."""

    def __init__(self) -> None:
        self.cases = 0
        self.unjudged = 0
        self.standings: Counter[Standing] = Counter()
        self.by_clock: dict[str, Counter[Standing]] = {
            "FIRST_RESPONSE": Counter(),
            "RESOLUTION": Counter(),
        }
        self.durations: dict[str, list[array[float]]] = {
            name: [array("d")]
            for name in ("answer elapsed", "answer working", "end elapsed", "end working")
        }

    def add(self, judged: Judged) -> None:
        """Count one case."""
        self.cases += 1
        if judged.standing is None:
            self.unjudged += 1
        else:
            self.standings[judged.standing] += 1
        for name, promised in (
            ("FIRST_RESPONSE", judged.first_response),
            ("RESOLUTION", judged.resolution),
        ):
            if promised.standing is not None:
                self.by_clock[name][promised.standing] += 1
        spans = (judged.elapsed, judged.worked, judged.resolved_in, judged.resolved_working)
        for kept, span in zip(self.durations.values(), spans, strict=True):
            if span is not None:
                kept[0].append(span.total_seconds())

    def join(self, other: Group) -> None:
        """Count what another has counted."""
        self.cases += other.cases
        self.unjudged += other.unjudged
        self.standings.update(other.standings)
        for name, found in other.by_clock.items():
            self.by_clock[name].update(found)
        for name, kept in other.durations.items():
            # Not copied: there may be millions.
            self.durations[name].extend(kept)

    def body(self) -> dict[str, Any]:
        """As JSON carries it; durations in hours."""
        return {
            "cases": self.cases,
            "not_judged": self.unjudged,
            **_standings(self.standings),
            "clocks": {name: _standings(found) for name, found in self.by_clock.items()},
            "answer": self._times("answer"),
            "end": self._times("end"),
        }

    def _times(self, name: str) -> dict[str, Any]:
        # One after the other: sorted they take four times the room.
        working = _percentiles(self._sorted(f"{name} working"))
        elapsed = self._sorted(f"{name} elapsed")
        return {
            "n": len(elapsed),
            "elapsed_hours": _percentiles(elapsed),
            "working_hours": working,
            "within": [
                {
                    "hours": hours,
                    "n": (n := bisect_right(elapsed, timedelta(hours=hours).total_seconds())),
                    "of_answered": _share(n, len(elapsed)),
                    "of_all": _share(n, self.cases),
                }
                for hours in HOURS
            ],
        }

    def _sorted(self, name: str) -> list[float]:
        return sorted(chain.from_iterable(self.durations[name]))


class Summary:
    """All cases, each department's, and what was odd."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}
        """Names in the file → our departments, where they are written otherwise."""
        self.unknown: set[str] = set()
        self.departments: dict[str, Group] = {}
        self.by_due_column = 0
        self.odd_rows = 0
        self.odd: Counter[Odd] = Counter()

    def add(self, department: str, judged: Judged, *, written: str, known: bool) -> None:
        """Count one case of a department, whose name is `written` in the file."""
        group = self.departments.get(department)
        if group is None:
            if len(self.departments) >= MOST_DEPARTMENTS:
                department = THE_REST
            group = self.departments.setdefault(department, Group())
            if not known and department:
                self.unknown.add(department)
        if known and written != department:
            self.ours[written] = department
        group.add(judged)
        self.by_due_column += judged.resolution.why is Why.DUE_COLUMN
        self.odd_rows += bool(judged.odd)
        self.odd.update(judged.odd)

    def body(self) -> dict[str, Any]:
        """As JSON carries it; departments by name."""
        together = Group()
        for group in self.departments.values():
            together.join(group)
        return {
            **together.body(),
            "by_due_column": self.by_due_column,
            "odd_rows": self.odd_rows,
            "odd": {name.value: n for name, n in self.odd.most_common()},
            "our_departments": dict(sorted(self.ours.items())),
            "unknown_departments": {
                name: self.departments[name].cases for name in sorted(self.unknown)
            },
            "departments": {name: group.body() for name, group in sorted(self.departments.items())},
        }


def _standings(found: Counter[Standing]) -> dict[str, Any]:
    kept, late, open_late = (
        found[s] for s in (Standing.ON_TIME, Standing.OVERDUE, Standing.OPEN_OVERDUE)
    )
    return {
        "on_time": kept,
        "overdue": late,
        "open": found[Standing.OPEN],
        "open_overdue": open_late,
        # Of what has ended, and of what has ended or should have.
        "on_time_rate": _share(kept, kept + late),
        "kept_rate": _share(kept, kept + late + open_late),
    }


def _percentiles(ordered: list[float]) -> dict[str, float | None]:
    return {"p50": _at(ordered, 0.5), "p90": _at(ordered, 0.9)}


def _share(n: int, of: int) -> float | None:
    return round(n / of, 6) if of else None


def _at(ordered: list[float], share: float) -> float | None:
    """The percentile in hours, between two values where it falls there (`percentile_cont`)."""
    if not ordered:
        return None
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    between = ordered[below] + (ordered[above] - ordered[below]) * (position - below)
    return round(between / 3600, 2)


__all__ = ["HOURS", "Group", "Promised", "Summary"]
