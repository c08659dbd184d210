"""What a report is about: a week, a month or a term, and what stands out in its figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from services.tracking.domain.measures import MEASURES, Unit
from services.tracking.domain.periods import TERMS, midnight
from shared.moments import LOCAL

MOST_MOVED = 4
"""How many figures are named as those that moved."""
LEAST_POINTS, LEAST_SHARE = 0.02, 0.1
"""What has to change to be worth a sentence: points of a rate, a part of hours or of a mean."""
LEAST_CASES = 5
"""On either side: fewer cases move by chance."""
MAIL_AT = time(7, 30)
"""Local time of the morning on which a report is mailed: that after its last day."""
LATEST = timedelta(days=31)
"""So long after its morning a report is still mailed where the system was away."""


class Kind(StrEnum):
    """How long a report looks back."""

    WEEK = "week"
    MONTH = "month"
    TERM = "term"


@dataclass(frozen=True)
class Period:
    """The days of a report, as local dates: ``[first, end)``."""

    kind: Kind
    first: date
    end: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """When it begins, and when it is over."""
        return midnight(self.first), midnight(self.end)

    @property
    def last(self) -> date:
        """The last of its days."""
        return self.end - timedelta(days=1)

    @property
    def before(self) -> Period:
        """The one before it, of the same kind."""
        return containing(self.kind, self.first - timedelta(days=1))

    @property
    def after(self) -> Period:
        """The one after it."""
        return containing(self.kind, self.end)


def containing(kind: Kind, day: date) -> Period:
    """The week (from Monday), month or term (until the next one begins) of that day."""
    match kind:
        case Kind.WEEK:
            first = day - timedelta(days=day.weekday())
            return Period(kind, first, first + timedelta(days=7))
        case Kind.MONTH:
            first = day.replace(day=1)
            return Period(kind, first, (first + timedelta(days=32)).replace(day=1))
        case Kind.TERM:
            years = range(day.year - 1, day.year + 2)
            begun = sorted(date(year, *at) for year in years for at in TERMS)
            first = max(one for one in begun if one <= day)
            return Period(kind, first, min(one for one in begun if one > day))


def latest(kind: Kind, now: datetime) -> Period:
    """The last one that is over: what is reported on Monday is the week before."""
    return containing(kind, now.astimezone(LOCAL).date()).before


def due_at(period: Period) -> datetime:
    """When the report on it is mailed."""
    return datetime.combine(period.end, MAIL_AT, LOCAL).astimezone(UTC)


def next_due(kind: Kind, now: datetime) -> Period:
    """The first one whose morning lies ahead."""
    last = latest(kind, now)
    return last if due_at(last) > now else last.after


def to_make(
    now: datetime, made: Collection[tuple[Kind, date]], since: datetime | None
) -> list[Period]:
    """What has to be reported now: of each kind the last period that is over, if its morning has
    come and it was not `made` (kind and first day) yet.

    However long the system was away, it is one report of each kind: who opens the page can leaf
    back. `since` is when the first case ever came: what was over by then is nothing to tell.
    """
    ready = (latest(kind, now) for kind in Kind)
    return [
        period
        for period in ready
        if due_at(period) <= now <= due_at(period) + LATEST
        and (period.kind, period.first) not in made
        and since is not None
        and since < period.moments[1]
    ]


def told(board: Mapping[str, Any], *, english: bool = False) -> dict[str, Any]:
    """What a report says besides the figures: ``busiest``, and what ``moved``."""
    return {
        "busiest": busiest(board["heat"]),
        "moved": [
            {"key": one.key, "better": one.better, "name": MEASURES[one.key].name[english]}
            for one in moved(board)
        ],
    }


@dataclass(frozen=True)
class Moved:
    """A measure that changed against the period before."""

    key: str
    better: bool
    size: float
    """How much, as a part of what is worth a sentence: by it the list is ordered."""


def moved(board: Mapping[str, Any]) -> list[Moved]:
    """The figures that moved most, the largest first; only where enough cases stand behind both."""
    found = []
    for key, measure in MEASURES.items():
        now, before = board[key], board["before"][key]
        value = "p50" if measure.unit is Unit.HOURS else "rate"
        if min(now["n"], before["n"]) < LEAST_CASES or None in (now[value], before[value]):
            continue
        change = now[value] - before[value]
        least = LEAST_POINTS if measure.unit is Unit.RATE else LEAST_SHARE * abs(before[value])
        if not change or abs(change) < least:
            continue
        size = abs(change) / (least or 1)
        found.append(Moved(key, (change < 0) == measure.less_is_better, size))
    return sorted(found, key=lambda one: -one.size)[:MOST_MOVED]


def busiest(heat: list[list[int]]) -> tuple[int, int, int] | None:
    """``(weekday from 1, hour, cases)`` of the hour of the week in which most came."""
    hours = ((day, hour) for day in range(len(heat)) for hour in range(len(heat[day])))
    day, hour = max(hours, key=lambda at: heat[at[0]][at[1]])
    return (day + 1, hour, heat[day][hour]) if heat[day][hour] else None
