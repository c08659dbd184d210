"""A year of the calendar as people look at it: what kind of day each is, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.sla.domain.calendars import (
    LIBRARY,
    CalendarDefinition,
    PeriodKind,
    UnitHours,
)
from services.sla.domain.working_time import Windows


class DayKind(StrEnum):
    """Why a day has the hours it has; the first that applies."""

    ENTRY = "entry"
    MAKE_UP = "make_up"
    HOLIDAY = "holiday"
    EXAM = "exam"
    VACATION = "vacation"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class DayView:
    """One day of a unit."""

    day: date
    kind: DayKind
    open: Windows
    name: str = ""
    name_en: str = ""


def day_view(definition: CalendarDefinition, day: date, department: str = LIBRARY) -> DayView:
    """What kind of day it is, as `CalendarDefinition.hours_on` decides."""
    hours = definition.hours_on(day, department)
    unit = definition.departments.get(department)
    if day in definition.days or (unit is not None and day in unit.days):
        holiday = definition.holiday_on(day)
        return DayView(day, DayKind.ENTRY, hours, *_names(holiday))
    year = definition.years.get(day.year)
    if year is not None and any(m.day == day for m in year.make_up):
        return DayView(day, DayKind.MAKE_UP, hours)
    holiday = definition.holiday_on(day)
    if holiday is not None and not (unit is not None and unit.works_on_holidays):
        return DayView(day, DayKind.HOLIDAY, hours, *_names(holiday))
    own = None if unit is None else unit.vacations
    periods = definition.vacations if own is None else own
    period = next((p for p in periods if p.covers(day)), None)
    if period is not None:
        kind = DayKind.EXAM if period.kind is PeriodKind.EXAM else DayKind.VACATION
        return DayView(day, kind, hours, *_names(period))
    return DayView(day, DayKind.OPEN if hours else DayKind.CLOSED, hours, *_names(holiday))


def year_view(
    definition: CalendarDefinition, year: int, department: str = LIBRARY
) -> Iterator[DayView]:
    """All days of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day_view(definition, day, department)
        day += timedelta(days=1)


COMPARED = timedelta(days=3 * 366)
"""Of the days that only their weekday decides, so many are compared."""


def differing_days(
    before: CalendarDefinition, after: CalendarDefinition, department: str, *, first: date
) -> Iterator[tuple[DayView, DayView]]:
    """Days that have other hours: of those from `first` on as far as `COMPARED` reaches, and of all
    that only one of the two names."""
    days = {first + timedelta(days=n) for n in range(COMPARED.days)}
    for period in set(_named_days(before, department)) ^ set(_named_days(after, department)):
        n, last = period[0].toordinal(), period[1].toordinal()
        days |= {date.fromordinal(k) for k in range(n, last + 1)}
    for day in sorted(days):
        if before.hours_on(day, department) != after.hours_on(day, department):
            yield day_view(before, day, department), day_view(after, day, department)


def _named_days(
    definition: CalendarDefinition, department: str
) -> Iterator[tuple[date, date, str]]:
    """All that stands there with its dates: ``(first day, last day, what it says)``."""
    unit = definition.departments.get(department, UnitHours())
    for days in (definition.days, unit.days):
        for day, hours in days.items():
            yield day, day, repr(hours)
    for year in definition.years.values():
        for made in year.make_up:
            yield made.day, made.day, made.counts_as.value
        for holiday in year.holidays:
            yield holiday.first, holiday.last, ""
    for period in definition.vacations if unit.vacations is None else unit.vacations:
        yield period.first, period.last, repr(period.week)


def _names(period: object) -> tuple[str, str]:
    return getattr(period, "name", ""), getattr(period, "name_en", "")
