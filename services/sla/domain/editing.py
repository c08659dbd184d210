"""Changes to the calendar, made by people: each gives the next version of its definition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from services.sla.domain.calendars import (
    LIBRARY,
    CalendarDefinition,
    Holiday,
    MakeUp,
    UnitHours,
    Vacation,
    Week,
    Weekday,
    Year,
    changed_to,
)
from services.sla.domain.working_time import Windows
from shared.contracts.refusal import Unacceptable

LONGEST = 366
"""Days that are edited at once."""


def edit_day(
    definition: CalendarDefinition,
    day: date,
    *,
    hours: Windows | None = None,
    counts_as: Weekday | None = None,
    department: str = LIBRARY,
) -> CalendarDefinition:
    """The definition in which `day` has these hours (none: closed), or counts as that weekday.

    With neither, an earlier entry for the day is taken back. Raises ValueError for hours that
    cannot be.
    """
    if department and counts_as is not None:
        raise ValueError("调休上班是全馆的 | a make-up day is the whole library's")
    changed = edit_days(definition, day, day, hours=hours, department=department)
    if department:
        return changed
    return _with_make_up(changed, day, counts_as)


def edit_days(
    definition: CalendarDefinition,
    first: date,
    last: date,
    *,
    hours: Windows | None = None,
    department: str = LIBRARY,
) -> CalendarDefinition:
    """Each of these days has these hours; with None, entries for them are taken back.

    Raises ValueError for hours that cannot be, Unacceptable for a range that cannot."""
    unit = definition.departments.get(department, UnitHours()) if department else None
    days = dict(unit.days if unit is not None else definition.days)
    for day in _days(first, last):
        days.pop(day, None)
        if hours is not None:
            days[day] = hours
    days = dict(sorted(days.items()))
    if unit is not None:
        unit = unit.model_copy(update={"days": days})
        return _next(definition, departments=definition.departments | {department: unit})
    changed = _next(definition, days=days)
    if hours is None:
        for day in _days(first, last):
            changed = _with_make_up(changed, day, None)
    return changed


def add_holiday(
    definition: CalendarDefinition, first: date, last: date, *, name: str
) -> CalendarDefinition:
    """These days are a holiday of that name, in place of what stood there before."""
    changed = without_holiday(definition, first, last)
    changed = edit_days(changed, first, last)
    years = dict(changed.years)
    for year in range(first.year, last.year + 1):
        begin, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        notice = years.get(year, Year(published=False))
        holiday = Holiday(name=name, first=begin, last=end)
        holidays = sorted((*notice.holidays, holiday), key=lambda h: h.first)
        years[year] = notice.model_copy(update={"holidays": tuple(holidays)})
    return _next(definition, days=changed.days, years=dict(sorted(years.items())))


def without_holiday(definition: CalendarDefinition, first: date, last: date) -> CalendarDefinition:
    """These days are no holiday; one that reaches beyond them keeps the rest."""
    _days(first, last)
    years = dict(definition.years)
    one = timedelta(days=1)
    for number, year in years.items():
        kept = []
        for holiday in year.holidays:
            if holiday.last < first or last < holiday.first:
                kept.append(holiday)
                continue
            if holiday.first < first:
                kept.append(holiday.model_copy(update={"last": first - one}))
            if last < holiday.last:
                kept.append(holiday.model_copy(update={"first": last + one}))
        years[number] = year.model_copy(update={"holidays": tuple(kept)})
    return _next(definition, years=years)


def put_period(
    definition: CalendarDefinition, period: Vacation, *, department: str = LIBRARY
) -> CalendarDefinition:
    """With this vacation or these weeks of exams; one of the same name and beginning gives way.

    A department that gets its first period has only its own from then on."""
    unit = definition.departments.get(department, UnitHours()) if department else None
    periods = definition.vacations if unit is None else (unit.vacations or ())
    others = [p for p in periods if (p.name, p.first) != (period.name, period.first)]
    if any(period.first <= p.last and p.first <= period.last for p in others):
        raise Unacceptable(
            "和另一段假期或考试周重叠了，请先改那一段。",
            "It overlaps another vacation or exam week; change that one first.",
            errors={"first": "overlap"},
        )
    return _with_periods(definition, (*others, period), department)


def drop_period(
    definition: CalendarDefinition, name: str, first: date, *, department: str = LIBRARY
) -> CalendarDefinition:
    """Without the period of that name and beginning."""
    unit = definition.departments.get(department, UnitHours()) if department else None
    periods = definition.vacations if unit is None else (unit.vacations or ())
    kept = tuple(p for p in periods if (p.name, p.first) != (name, first))
    return _with_periods(definition, kept, department)


def set_week(
    definition: CalendarDefinition,
    week: Week,
    *,
    department: str = LIBRARY,
    works_on_holidays: bool = False,
) -> CalendarDefinition:
    """The ordinary week of the library, or of a department. Raises ValueError for an empty one."""
    if not department:
        return _next(definition, week=week)
    unit = definition.departments.get(department, UnitHours())
    unit = unit.model_copy(update={"week": week, "works_on_holidays": works_on_holidays})
    return _next(definition, departments=definition.departments | {department: unit})


def same_as_library(definition: CalendarDefinition, department: str) -> CalendarDefinition:
    """Without hours of that department's own."""
    others = {d: unit for d, unit in definition.departments.items() if d != department}
    return _next(definition, departments=others)


def publish(definition: CalendarDefinition, year: int) -> CalendarDefinition:
    """What stands there for that year is settled."""
    notice = definition.years.get(year, Year(published=False))
    years = definition.years | {year: notice.model_copy(update={"published": True})}
    return _next(definition, years=dict(sorted(years.items())))


def adopt_years(definition: CalendarDefinition, shipped: CalendarDefinition) -> CalendarDefinition:
    """With the notices that came with a newer release; nothing else is touched."""
    newer = {year: shipped.years[year] for year in newer_years(definition, shipped)}
    return _next(definition, years=dict(sorted((definition.years | newer).items())))


def newer_years(definition: CalendarDefinition, shipped: CalendarDefinition) -> list[int]:
    """Years that are published in what is shipped, and provisional or missing here."""
    return [
        year
        for year, notice in sorted(shipped.years.items())
        if notice.published
        and (year not in definition.years or not definition.years[year].published)
    ]


def _with_make_up(
    definition: CalendarDefinition, day: date, counts_as: Weekday | None
) -> CalendarDefinition:
    notice = definition.years.get(day.year, Year(published=False))
    others = [m for m in notice.make_up if m.day != day]
    if counts_as is not None:
        others.append(MakeUp(day=day, counts_as=counts_as))
    elif len(others) == len(notice.make_up):
        return definition
    notice = notice.model_copy(update={"make_up": tuple(sorted(others, key=lambda m: m.day))})
    years = definition.years | {day.year: notice}
    return changed_to(definition, definition.version, years=dict(sorted(years.items())))


def _with_periods(
    definition: CalendarDefinition, periods: tuple[Vacation, ...], department: str
) -> CalendarDefinition:
    ordered = tuple(sorted(periods, key=lambda p: p.first))
    if not department:
        return _next(definition, vacations=ordered)
    unit = definition.departments.get(department, UnitHours())
    unit = unit.model_copy(update={"vacations": ordered or None})
    return _next(definition, departments=definition.departments | {department: unit})


def _days(first: date, last: date) -> Iterator[date]:
    length = (last - first).days
    if not 0 <= length < LONGEST:
        raise Unacceptable(
            f"请给出先后正确、不超过 {LONGEST} 天的日期。",
            f"Please give dates in order, at most {LONGEST} days.",
            errors={"last": "range"},
        )
    return (first + timedelta(days=n) for n in range(length + 1))


def _next(definition: CalendarDefinition, **changes: object) -> CalendarDefinition:
    return changed_to(definition, definition.version + 1, **changes)
