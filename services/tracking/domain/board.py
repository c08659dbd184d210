"""The body of ``GET /api/dashboard``: figures by the measures, and what is open now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.tracking.domain import shape
from services.tracking.domain.departments import MINIMUM_CASES, compare
from services.tracking.domain.measures import MEASURES, Unit
from services.tracking.domain.periods import ONE_DAY, day_of, days_between, hour_of
from services.tracking.domain.sums import Sum, totals
from shared.contracts.vocabulary import OPEN, State
from shared.moments import local

AT_PRESENT = ("state", "overdue", "late", "at_risk")
IN_PERIOD = (
    "closed",
    "closed_in_time",
    "first_due",
    "first_in_time",
    "asked",
    "solved_halves",
    "ratings",
    "satisfied",
    "outcome",
    "promised",
    "broken",
    "extended",
    "dispatched",
    "dispatched_right",
    "returned",
    "hops",
    "answered",
    "reopened",
    "received_day",
    "channel",
    "category",
    "group",
    "arrived",
    "dwell",
    "dwell_seconds",
    "breaches",
    "reasons",
    "returns",
    "undelivered",
    "uncertain",
)
IN_PERIOD_BEFORE = tuple(
    name
    for name in IN_PERIOD
    if name not in ("channel", "category", "group", "arrived", "dwell", "dwell_seconds")
)
"""What is also asked of the period before."""
BY_DAY = ("flow", "overdue_flow", "closed", "closed_in_time", "first_responses", "first_seconds")
_TOTALS = ("closed", "breaches", "reasons", "returns", "undelivered", "uncertain")
TREND_DAYS = 14
AHEAD_DAYS = 7
HOURLY_UP_TO = timedelta(days=8)
"""Longer periods show received comments by day."""
WEEKLY_FROM = timedelta(days=62)
"""Longer periods show the trend by week."""
USUAL_WEEKS = 8
"""So many days of the same name say what is usual."""


@dataclass(frozen=True)
class Question:
    """What the dashboard is asked: a period, and whose cases."""

    first: datetime
    last: datetime
    now: datetime
    department: str | None = None
    category: str | None = None
    channel: str | None = None
    priority: str | None = None
    reporter_group: str | None = None
    restricted: bool = False
    """Asked by the department itself: of others it sees the median."""

    @property
    def hourly(self) -> bool:
        return self.last - self.first <= HOURLY_UP_TO

    @property
    def filters(self) -> dict[str, str]:
        """What cases are chosen by, besides their department."""
        names = ("category", "channel", "priority", "reporter_group")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def first_day(self) -> datetime:
        """Rates are made of whole days, like their sums."""
        return day_of(self.first)

    @property
    def end(self) -> datetime:
        """The end of the last day."""
        return day_of(self.last - timedelta(microseconds=1)) + ONE_DAY

    @property
    def before(self) -> datetime:
        """When the period before began: as many days."""
        return self.first_day - (self.end - self.first_day)

    @property
    def trend_last(self) -> datetime:
        """The end of the last day of the small trends."""
        end = min(self.last, day_of(self.now) + ONE_DAY)
        return max(end, self.first + ONE_DAY)

    @property
    def trend_first(self) -> datetime:
        return day_of(self.trend_last - timedelta(seconds=1)) - (TREND_DAYS - 1) * ONE_DAY

    @property
    def shape_first(self) -> datetime:
        """Where the trend by category begins: a few days say little."""
        return min(self.first_day, self.trend_first)

    @property
    def shape_step(self) -> timedelta:
        """A day, in long periods a week."""
        return ONE_DAY if self.end - self.shape_first <= WEEKLY_FROM else 7 * ONE_DAY

    @property
    def usual_days(self) -> list[datetime]:
        """Today, and the days of the same name before it."""
        today = day_of(self.now)
        return [today - week * 7 * ONE_DAY for week in range(USUAL_WEEKS + 1)]


class Percentiles(NamedTuple):
    """Working seconds of a clock, in the period or (`before`) in the one before."""

    clock: str
    before: bool
    n: int
    p50: float
    p90: float


class Unmarked(NamedTuple):
    """Deadlines that passed on one day and are not marked: not yet, or because that promise was
    broken before, which nobody marks twice."""

    department: str
    day: datetime
    n: int
    at_risk: int


def body(
    question: Question,
    sums: Iterable[Sum],
    percentiles: Iterable[Percentiles],
    unmarked: Iterable[Unmarked],
) -> dict[str, Any]:
    """The answer without names, without what breaks next, and without when it was asked."""
    own = question.department if question.restricted else None
    parts: defaultdict[str, list[Sum]] = defaultdict(list)
    for one in sums:
        parts[one.part].append(one)
    in_period, in_before = totals(parts["period"]), totals(parts["before"])
    details: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in parts["period"]:
        if one.n:
            details[one.measure][one.detail] += one.n
    mine = [one for one in parts["now"] if question.department in (None, one.department)]
    passed = list(unmarked)
    passed_here = [one for one in passed if question.department in (None, one.department)]
    present = _present(mine, passed_here)
    due = {one.bucket: one.n for one in parts["due"] if one.bucket}
    today = day_of(question.now)
    passed_today = sum(one.n for one in passed_here if one.day == today)
    # Who was late when the period ended: counted back from the present.
    late_now = present.pop("late")
    in_period["late"] = late_now - sum(one.n for one in parts["late_since_end"])
    in_before["late"] = late_now - sum(one.n for one in parts["late_since_first"])
    durations = {(p.clock, p.before): p for p in percentiles}
    return {
        "from": local(question.first),
        "to": local(question.last),
        "department": question.department,
        **present,
        "due_today": max(0, due.get(today, 0) - passed_today),
        "received": _received(question, parts["received"]),
        **_figures(in_period, durations, before=False),
        "totals": {name: in_period[name] for name in _TOTALS}
        | {"received": sum(one.n for one in parts["received"])},
        "before": {
            "from": local(question.before),
            "to": local(question.first_day),
            **_figures(in_before, durations, before=True),
            "totals": {name: in_before[name] for name in _TOTALS}
            | {"received": in_before["received_day"]},
        },
        "outcomes": details["outcome"],
        "breaches_by_clock": details["breaches"],
        "breach_reasons": details["reasons"],
        "channels": details["channel"],
        "categories": details["category"],
        "reporter_groups": details["group"],
        "departments": compare(
            [*parts["now"], *(Sum("now", "overdue", None, p.department, "", p.n) for p in passed)],
            parts["departments"],
            parts["late_flow_by"],
            own,
        ),
        "flow": shape.flow(parts["flow"]),
        "dwell": shape.dwell(in_period),
        "heat": shape.heat(details["arrived"]),
        "ages": shape.ages(parts["age"], present["open"]["total"], question.now),
        "surges": shape.surges(parts["usual"], day_of(question.now), USUAL_WEEKS),
        "trend_by_category": shape.trend(
            parts["trend"], question.shape_first, question.end, question.shape_step
        ),
        "trend": _trend(
            question,
            [*parts["day"], *(Sum("day", "overdue_flow", p.day, "", "", p.n) for p in passed_here)],
            due,
            present["open"]["total"],
            present["overdue"],
        ),
        "minimum_cases": MINIMUM_CASES,
    }


def _figures(
    sums: Mapping[str, int], durations: Mapping[tuple[str, bool], Percentiles], *, before: bool
) -> dict[str, Any]:
    """Every measure: ``{rate, n}``, or ``{p50, p90, n}`` where it is in hours."""
    found = {}
    for key, measure in MEASURES.items():
        if measure.unit is Unit.HOURS:
            found[key] = _hours(durations.get((str(measure.clock), before)))
        else:
            figure = measure.of(sums)
            rate = None if figure.value is None else round(figure.value, 4)
            found[key] = {"rate": rate, "n": figure.n}
    return found


def valid_until(question: Question, next_due: datetime | None) -> datetime:
    """Until when the same rows make the same answer: an hour begins, or a deadline passes."""
    next_hour = hour_of(question.now) + timedelta(hours=1)
    return next_hour if next_due is None else min(next_hour, next_due)


def _present(sums: list[Sum], unmarked: list[Unmarked]) -> dict[str, Any]:
    by_state: Counter[str] = Counter()
    by_department: Counter[str] = Counter()
    split: defaultdict[str, dict[str, int]] = defaultdict(dict)
    overdue: Counter[str] = Counter()
    replied = late = at_risk = 0
    for one in sums:
        if not one.n:
            continue
        if one.measure == "overdue":
            overdue[one.department] += one.n
        elif one.measure == "late":
            late += one.n
        elif one.measure == "at_risk":
            at_risk += one.n
        elif one.detail == State.REPLIED:
            replied += one.n
        elif one.detail in OPEN:
            by_state[one.detail] += one.n
            by_department[one.department] += one.n
            split[one.department][one.detail] = one.n
    for passed in unmarked:
        overdue[passed.department] += passed.n
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
        "at_risk": at_risk - sum(passed.at_risk for passed in unmarked),
        "late": late,
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
    later = sum(n for day, n in flow.items() if day > days[-1])
    levels = []
    for day in reversed(days):
        levels.append(float(now - later))
        later += flow[day]
    return levels[::-1]
