"""Which days the demonstration plays, what kind of day each is, and how much comes in on it.

Spring 2026 as the shipped calendar has it: Labour Day with its make-up Saturday, the weeks before
the examinations, the examinations themselves, and the Dragon Boat Festival just ahead.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.sla.domain.calendars import LIBRARY, CalendarDefinition
from shared.moments import LOCAL

FIRST = date(2026, 4, 20)
DAYS = 60
EXAMS = date(2026, 6, 8)
"""The first of the days on which the library is fullest; they last until the end."""
_ENDS = time(15, 40)
"""On the last day, a working afternoon: there is something to do."""
_WORKING = ((9, 10, 170), (13, 20, 240), (18, 20, 250))
_OFF = ((11, 0, 600),)
"""When the looks are: from this hour and minute, within so many minutes."""
_HOURS = (1, 1, 0, 0, 0, 0, 1, 4, 12, 18, 20, 16, 10, 14, 19, 20, 18, 12, 9, 11, 13, 12, 8, 4)
"""How much is written in each hour of a day, in parts."""


@dataclass(frozen=True)
class Day:
    """One day of the months."""

    date: date
    index: int
    working: bool
    holiday: str | None
    make_up: bool

    @property
    def exams(self) -> bool:
        """Whether the examinations have begun."""
        return self.date >= EXAMS

    @property
    def weight(self) -> float:
        """How much comes in, a working day of the term being 1."""
        if self.holiday:
            return 0.25
        if self.exams:
            return 1.5 if self.working else 0.9
        return 1.0 if self.working else 0.35

    def at(self, hour: int, minute: int = 0) -> datetime:
        """That time on this day, on the wall."""
        return datetime.combine(self.date, time(hour, minute), LOCAL)


def days_of(calendar: CalendarDefinition, count: int) -> list[Day]:
    """The first `count` days."""
    made_up = {one.day for year in calendar.years.values() for one in year.make_up}
    found = []
    for index in range(count):
        day = FIRST + timedelta(days=index)
        holiday = calendar.holiday_on(day)
        found.append(
            Day(
                date=day,
                index=index,
                working=bool(calendar.hours_on(day, LIBRARY)),
                holiday=holiday.name if holiday else None,
                make_up=day in made_up,
            )
        )
    return found


def end_of(days: list[Day]) -> datetime:
    """Where the play ends."""
    return datetime.combine(days[-1].date, _ENDS, LOCAL)


def surge_day(days: list[Day]) -> Day:
    """The day on which off-campus access fails: a working day near the middle."""
    middle = int(len(days) * 0.47)
    return next(day for day in days[middle:] + days[::-1] if day.working)


def looks(day: Day, rng: random.Random) -> list[datetime]:
    """The moments of a day by which what is due is done, at other minutes every day."""
    return [
        day.at(hour, minute) + timedelta(minutes=rng.random() * within)
        for hour, minute, within in (_WORKING if day.working else _OFF)
    ]


def arrivals(days: list[Day], cases: int, rng: random.Random) -> list[tuple[Day, datetime]]:
    """When each comment is written, in order."""
    chosen = rng.choices(days, [day.weight for day in days], k=cases)
    end = end_of(days) - timedelta(minutes=30)
    found = []
    for day in chosen:
        hour = rng.choices(range(24), _HOURS)[0]
        at = day.at(hour) + timedelta(seconds=rng.random() * 3600)
        found.append((day, min(at, end - timedelta(minutes=rng.random() * 120))))
    return sorted(found, key=lambda one: one[1])
