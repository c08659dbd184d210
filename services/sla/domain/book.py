"""The calendar as people edit it: the week, the years' notices, vacations, departments."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from services.sla.domain.calendar import RoundTheClock, Windows, WorkingCalendar, WorkingTime

LIBRARY = ""
"""Name of the library's own calendar, the one a unit without hours of its own uses."""

ROUND_THE_CLOCK = "24x7"


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEKDAYS = tuple(Weekday)


def _in_order(windows: Windows) -> Windows:
    last = time(0)
    for index, (opens, closes) in enumerate(windows):
        midnight = closes == time(0) and index == len(windows) - 1
        if opens < last or not (opens < closes or midnight):
            raise ValueError("windows of a day must follow one another")
        last = closes
    return windows


Day = Annotated[Windows, AfterValidator(_in_order)]
Week = dict[Weekday, Day]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Period(_Frozen):
    name: str
    name_en: str = ""
    first: date
    last: date

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.name} ends before it begins")
        return self

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


class Holiday(_Period):
    """Days off by law or by the yearly notice, both ends included."""


class Vacation(_Period):
    """A period with hours of its own (winter, summer)."""

    week: Week


class MakeUp(_Frozen):
    """调休: a day of the weekend that is worked, with the hours of the weekday it stands for."""

    day: date
    counts_as: Weekday


class Year(_Frozen):
    """What the notice for one year says; not `published` means provisional."""

    published: bool
    holidays: tuple[Holiday, ...] = ()
    make_up: tuple[MakeUp, ...] = ()


class UnitHours(_Frozen):
    """Where a department differs from the library; what is left out is the library's."""

    week: Week | None = None
    vacations: tuple[Vacation, ...] | None = None
    days: dict[date, Day] = {}
    works_on_holidays: bool = False


class CalendarBook(_Frozen):
    """All calendars of the library as one versioned value."""

    version: int
    zone: str
    week: Week
    years: dict[int, Year] = {}
    vacations: tuple[Vacation, ...] = ()
    days: dict[date, Day] = {}
    departments: dict[str, UnitHours] = {}

    @model_validator(mode="after")
    def _somebody_works(self) -> Self:
        for week in (self.week, *(u.week for u in self.departments.values() if u.week)):
            if not any(week.values()):
                raise ValueError("a week without any working hours")
        return self

    def is_provisional(self, day: date) -> bool:
        """Whether the holidays of that year have not been announced yet."""
        year = self.years.get(day.year)
        return year is None or not year.published

    def holiday_on(self, day: date) -> Holiday | None:
        year = self.years.get(day.year)
        return next((h for h in year.holidays if h.covers(day)), None) if year else None

    def hours_on(self, day: date, department: str = LIBRARY) -> Windows:
        """The windows of one day: its own entry, else make-up, else holiday, else the week."""
        unit = self.departments.get(department, _SAME)
        for exact in (unit.days, self.days):
            if day in exact:
                return exact[day]
        weekday = self._made_up.get(day)
        if weekday is None:
            if not unit.works_on_holidays and self.holiday_on(day):
                return ()
            weekday = WEEKDAYS[day.weekday()]
        vacations = self.vacations if unit.vacations is None else unit.vacations
        week = next((v.week for v in vacations if v.covers(day)), unit.week or self.week)
        return week.get(weekday, ())

    @cached_property
    def _made_up(self) -> dict[date, Weekday]:
        return {m.day: m.counts_as for year in self.years.values() for m in year.make_up}


_SAME = UnitHours()


class Calendars:
    """The book opened: one calendar per unit that has its own hours, each built when first used."""

    def __init__(self, book: CalendarBook) -> None:
        self.book = book
        self.zone = ZoneInfo(book.zone)
        self._round_the_clock = RoundTheClock()
        self._built: dict[str, WorkingCalendar] = {}

    def named(self, name: str) -> WorkingTime:
        """The calendar of a department, of the library (`LIBRARY`), or `ROUND_THE_CLOCK`."""
        if name == ROUND_THE_CLOCK:
            return self._round_the_clock
        unit = name if name in self.book.departments else LIBRARY
        if unit not in self._built:
            self._built[unit] = WorkingCalendar(
                lambda day: self.book.hours_on(day, unit),
                zone=self.zone,
                first_year=min(self.book.years, default=2025) - 2,
                last_year=max(self.book.years, default=2025) + 2,
            )
        return self._built[unit]

    def is_provisional(self, at: datetime) -> bool:
        """Whether a promise for that moment rests on a year not announced yet."""
        return self.book.is_provisional(at.astimezone(self.zone).date())
