"""The calendar as people edit it: the week, the years' notices, vacations, departments."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from services.sla.domain.working_time import RoundTheClock, Windows, WorkingCalendar, WorkingTime
from shared.moments import LOCAL, here

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


_WRITTEN = "请写成 08:30 这样的时间 | write a time like 08:30"


def _local(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError(_WRITTEN)
    return at


def _to_the_minute(at: time) -> time:
    if at.second or at.microsecond:
        raise ValueError(_WRITTEN)
    return at


LocalTime = Annotated[time, AfterValidator(_local)]
"""A time of day at the library; what names a zone is none."""
TimeOfDay = Annotated[LocalTime, AfterValidator(_to_the_minute)]
"""The same as people enter it."""


def _in_order(windows: Windows) -> Windows:
    last = time(0)
    for index, (opens, closes) in enumerate(windows):
        midnight = closes == time(0) and index == len(windows) - 1
        if opens < last or not (opens < closes or midnight):
            raise ValueError(
                "一天里的时段要先后相接，不能重叠 | windows of a day must follow one another"
            )
        last = closes
    return windows


Day = Annotated[tuple[tuple[LocalTime, LocalTime], ...], AfterValidator(_in_order)]
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
            raise ValueError(f"{self.name}：结束早于开始 | {self.name} ends before it begins")
        return self

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


class Holiday(_Period):
    """Days off by law or by the yearly notice, both ends included."""


class PeriodKind(StrEnum):
    """What a period with hours of its own is; they are counted alike."""

    VACATION = "vacation"
    EXAM = "exam"


class Vacation(_Period):
    """A period with hours of its own (winter, summer, the weeks of exams)."""

    week: Week
    kind: PeriodKind | None = None
    """None: a vacation."""


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


class NoteKind(StrEnum):
    """Why a day has the hours it has."""

    ROUND_THE_CLOCK = "24x7"
    ENTERED = "entered"
    """Somebody entered hours for this day alone."""
    SHUT = "shut"
    """Somebody closed this day alone."""
    MAKE_UP = "make_up"
    HOLIDAY = "holiday"
    VACATION = "vacation"
    WEEK = "week"
    CLOSED = "closed"
    """A day of the week on which nobody works."""


class DayNote(NamedTuple):
    """Why a day has the hours it has, and what that is called."""

    kind: NoteKind
    name: str = ""
    name_en: str = ""
    counts_as: Weekday | None = None


class CalendarDefinition(_Frozen):
    """All calendars of the library as one versioned value."""

    version: int
    week: Week
    years: dict[int, Year] = {}
    vacations: tuple[Vacation, ...] = ()
    days: dict[date, Day] = {}
    departments: dict[str, UnitHours] = {}

    @model_validator(mode="after")
    def _somebody_works(self) -> Self:
        for week in (self.week, *(u.week for u in self.departments.values() if u.week)):
            if not any(week.values()):
                raise ValueError("一周里没有任何办公时间 | a week without any working hours")
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

    def note_on(self, day: date, department: str = LIBRARY) -> DayNote:
        """Which of the entries that `hours_on` asks decided."""
        unit = self.departments.get(department, _SAME)
        if day in unit.days or day in self.days:
            return DayNote(NoteKind.ENTERED if self.hours_on(day, department) else NoteKind.SHUT)
        if (weekday := self._made_up.get(day)) is not None:
            return DayNote(NoteKind.MAKE_UP, counts_as=weekday)
        holiday = None if unit.works_on_holidays else self.holiday_on(day)
        if holiday is not None:
            return DayNote(NoteKind.HOLIDAY, holiday.name, holiday.name_en)
        vacations = self.vacations if unit.vacations is None else unit.vacations
        vacation = next((v for v in vacations if v.covers(day)), None)
        if vacation is not None:
            return DayNote(NoteKind.VACATION, vacation.name, vacation.name_en)
        return DayNote(NoteKind.WEEK if self.hours_on(day, department) else NoteKind.CLOSED)

    @cached_property
    def _made_up(self) -> dict[date, Weekday]:
        return {m.day: m.counts_as for year in self.years.values() for m in year.make_up}


_SAME = UnitHours()


def changed_to(
    definition: CalendarDefinition, version: int, **changes: object
) -> CalendarDefinition:
    """The definition with these fields, checked anew as a whole. Raises ValueError."""
    # Not a copy: that would take along what was worked out of the old fields.
    fields = {name: getattr(definition, name) for name in CalendarDefinition.model_fields}
    return CalendarDefinition(**(fields | changes | {"version": version}))


class Calendars:
    """One calendar per unit that has its own hours, each built when first used."""

    def __init__(self, definition: CalendarDefinition) -> None:
        self.definition = definition
        self._round_the_clock = RoundTheClock()
        self._built: dict[str, WorkingCalendar] = {}

    def named(self, name: str) -> WorkingTime:
        """The calendar of a department, of the library (`LIBRARY`), or `ROUND_THE_CLOCK`."""
        if name == ROUND_THE_CLOCK:
            return self._round_the_clock
        unit = name if name in self.definition.departments else LIBRARY
        if unit not in self._built:
            self._built[unit] = WorkingCalendar(
                lambda day: self.definition.hours_on(day, unit),
                zone=LOCAL,
                first_year=min(self.definition.years, default=2025) - 2,
                last_year=max(self.definition.years, default=2025) + 2,
            )
        return self._built[unit]

    def is_provisional(self, at: datetime) -> bool:
        """Whether a promise for that moment rests on a year not announced yet."""
        return self.definition.is_provisional(here(at).date())
