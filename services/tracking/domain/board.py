"""The body of ``GET /api/dashboard``: every measure once, with the number it rests on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.tracking.domain.periods import ONE_DAY, day_of, days_between, local
from shared.contracts.vocabulary import OPEN, State

AT_PRESENT = ("state", "overdue", "resolution_overdue")
IN_PERIOD = (
    "closed",
    "closed_in_time",
    "first_due",
    "first_in_time",
    "ratings",
    "satisfied",
    "solved_halves",
    "dispatched",
    "dispatched_right",
    "returned",
    "hops",
    "answered",
    "reopened",
    "channel",
    "category",
)
BY_DAY = ("flow", "overdue_flow", "closed", "closed_in_time", "first_responses", "first_seconds")
BEHIND = ("on_time", "first_response", "received")
"""Measures whose cases are listed here; what is open now is listed by desk."""
TREND_DAYS = 14
AHEAD_DAYS = 7
HOURLY_UP_TO = timedelta(days=8)
"""Longer periods show received comments by day."""
MINIMUM_CASES = 10
"""A department with fewer is shown but not ranked."""


@dataclass(frozen=True)
class Question:
    """What the dashboard is asked: a period, and whose cases."""

    first: datetime
    last: datetime
    now: datetime
    department: str | None = None
    category: str | None = None
    channel: str | None = None

    @property
    def hourly(self) -> bool:
        return self.last - self.first <= HOURLY_UP_TO

    @property
    def trend_last(self) -> datetime:
        """The end of the last day of the small trends."""
        end = min(self.last, day_of(self.now) + ONE_DAY)
        return max(end, self.first + ONE_DAY)

    @property
    def trend_first(self) -> datetime:
        return day_of(self.trend_last - timedelta(seconds=1)) - (TREND_DAYS - 1) * ONE_DAY


@dataclass(frozen=True)
class Sum:
    """One kept sum; `part` says which part of the answer it belongs to."""

    part: str
    measure: str
    bucket: datetime | None
    department: str
    detail: str
    n: int


@dataclass(frozen=True)
class Percentiles:
    """Working seconds of a clock."""

    clock: str
    n: int
    p50: float
    p90: float


@dataclass(frozen=True)
class Unmarked:
    """Deadlines that passed a moment ago and are not marked yet."""

    department: str
    n: int
    today: int


def body(
    question: Question,
    sums: Iterable[Sum],
    percentiles: Iterable[Percentiles],
    unmarked: Iterable[Unmarked],
) -> dict[str, Any]:
    """The answer without names and without what breaks next."""
    parts: defaultdict[str, list[Sum]] = defaultdict(list)
    for one in sums:
        parts[one.part].append(one)
    in_period: Counter[str] = Counter()
    details: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in parts["period"]:
        in_period[one.measure] += one.n
        if one.n and one.measure in ("channel", "category"):
            details[one.measure][one.detail] = one.n
    present = _present(parts["now"], list(unmarked))
    late_now = present.pop("resolution_overdue")
    due = {one.bucket: one.n for one in parts["due"] if one.bucket}
    today = day_of(question.now)
    not_yet_marked = present.pop("passed_today")
    durations = {p.clock: p for p in percentiles}
    return {
        "as_of": local(question.now),
        "from": local(question.first),
        "to": local(question.last),
        **present,
        "due_today": max(0, due.get(today, 0) - not_yet_marked),
        "received": _received(question, parts["received"]),
        "on_time": _rate(in_period["closed_in_time"], in_period["closed"] + late_now),
        "first_response_hours": _hours(durations.get("FIRST_RESPONSE")),
        "resolution_hours": _hours(durations.get("RESOLUTION")),
        "accept_hours": _hours(durations.get("ACCEPT")),
        "response_rate": _rate(in_period["first_in_time"], in_period["first_due"]),
        "resolution_rate": _rate(in_period["solved_halves"] / 2, in_period["ratings"]),
        "satisfaction": _rate(in_period["satisfied"], in_period["ratings"]),
        "first_dispatch": _rate(in_period["dispatched_right"], in_period["dispatched"]),
        "returned": _rate(in_period["returned"], in_period["dispatched"]),
        "hops": _rate(in_period["hops"], in_period["dispatched"]),
        "reopened": _rate(in_period["reopened"], in_period["answered"]),
        "channels": details["channel"],
        "categories": details["category"],
        "trend": _trend(question, parts["day"], due, present["open"]["total"], present["overdue"]),
        "minimum_cases": MINIMUM_CASES,
    }


def _present(sums: list[Sum], unmarked: list[Unmarked]) -> dict[str, Any]:
    by_state: Counter[str] = Counter()
    by_department: Counter[str] = Counter()
    split: defaultdict[str, dict[str, int]] = defaultdict(dict)
    overdue: Counter[str] = Counter()
    replied = resolution_overdue = 0
    for one in sums:
        if not one.n:
            continue
        if one.measure == "overdue":
            overdue[one.department] += one.n
        elif one.measure == "resolution_overdue":
            resolution_overdue += one.n
        elif one.detail == State.REPLIED:
            replied += one.n
        elif one.detail in OPEN:
            by_state[one.detail] += one.n
            by_department[one.department] += one.n
            split[one.department][one.detail] = one.n
    for late in unmarked:
        overdue[late.department] += late.n
    return {
        "open": {
            "total": sum(by_state.values()),
            "by_state": dict(by_state),
            "by_department": dict(by_department),
            "by_department_state": dict(split),
        },
        "replied": replied,
        "overdue": sum(overdue.values()),
        "overdue_by_department": dict(overdue),
        "resolution_overdue": resolution_overdue,
        "passed_today": sum(late.today for late in unmarked),
    }


def _received(question: Question, sums: list[Sum]) -> list[dict[str, Any]]:
    """Every hour (in long periods every day) until now, also those without any."""
    counted = {one.bucket: one.n for one in sums}
    end = min(question.last, question.now + timedelta(microseconds=1))
    starts: list[datetime] = []
    if question.hourly:
        hour = question.first
        while hour < end:
            starts.append(hour)
            hour += timedelta(hours=1)
    else:
        starts = days_between(question.first, end)
    return [{"hour": local(start), "n": counted.get(start, 0)} for start in starts]


def _rate(part: float, n: int) -> dict[str, Any]:
    return {"rate": round(part / n, 4) if n else None, "n": n}


def _hours(found: Percentiles | None) -> dict[str, Any]:
    if found is None or not found.n:
        return {"p50": None, "p90": None, "n": 0}
    return {
        "p50": round(found.p50 / 3600, 2),
        "p90": round(found.p90 / 3600, 2),
        "n": found.n,
    }


def _trend(
    question: Question, sums: list[Sum], due: dict[datetime, int], open_now: int, overdue_now: int
) -> dict[str, list[float]]:
    """Small lines: the last days, oldest first; for what is due, the days ahead."""
    by: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
    for one in sums:
        if one.bucket is not None:
            by[one.measure][one.bucket] += one.n
    days = days_between(question.trend_first, question.trend_last)
    today = day_of(question.now)
    return {
        "open": _levels(by["flow"], days, open_now),
        "overdue": _levels(by["overdue_flow"], days, overdue_now),
        "due_today": [
            float(due.get(day, 0)) for day in days_between(today, today + AHEAD_DAYS * ONE_DAY)
        ],
        "on_time": [
            round(by["closed_in_time"][d] / by["closed"][d], 4) for d in days if by["closed"][d]
        ],
        "first_response": [
            round(by["first_seconds"][d] / by["first_responses"][d] / 3600, 2)
            for d in days
            if by["first_responses"][d]
        ],
    }


def _levels(flow: Counter[datetime], days: list[datetime], now: int) -> list[float]:
    """How many there were at the end of each day, counted back from the present."""
    levels = []
    for day in days:
        later = sum(n for bucket, n in flow.items() if bucket > day)
        levels.append(float(now - later))
    return levels
