"""The yearly notice of days off, as it is passed around: ``{days: [{name, date, isOffDay}]}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.sla.domain.calendars import (
    WEEKDAYS,
    CalendarDefinition,
    Holiday,
    MakeUp,
    Weekday,
    Year,
    changed_to,
)

_ENGLISH = {
    "元旦": "New Year",
    "春节": "Spring Festival",
    "清明节": "Qingming",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}
_ONE_DAY = timedelta(days=1)
_MOST_DAYS = 120


class NoticeDay(BaseModel):
    """A day that is off although it is a working day, or worked although it is a weekend."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(min_length=1, max_length=60)
    date: date
    isOffDay: bool


class Notice(BaseModel):
    """What one year's notice says."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    days: tuple[NoticeDay, ...] = Field(min_length=1, max_length=_MOST_DAYS)

    @property
    def year(self) -> int:
        """The year most of its days are in: New Year may begin in the one before."""
        years = [day.date.year for day in self.days]
        return max(set(years), key=years.count)


def is_notice(body: Mapping[str, Any]) -> bool:
    """Whether it is a notice, not a whole calendar (whose `days` are a mapping)."""
    return isinstance(body.get("days"), list)


def with_notice(definition: CalendarDefinition, body: Mapping[str, Any]) -> CalendarDefinition:
    """The calendar in which that year is published as the notice says.

    What was entered for single days stays. Raises ValueError for a notice that cannot be."""
    notice = Notice.model_validate(body)
    years = dict(definition.years)
    holidays, make_up = _holidays(notice.days), _make_up(notice.days)
    for year in sorted({day.date.year for day in notice.days}):
        mine = year == notice.year
        before = years.get(year, Year(published=False))
        new = tuple(h for h in holidays if h.first.year == year)
        worked = tuple(m for m in make_up if m.day.year == year)
        # Of another year's notice only the days that this one names are replaced.
        kept = () if mine else tuple(h for h in before.holidays if not _meets(h, new))
        worked_kept = () if mine else tuple(m for m in before.make_up if m not in worked)
        years[year] = Year(
            published=mine or before.published,
            holidays=tuple(sorted((*kept, *new), key=lambda h: h.first)),
            make_up=tuple(sorted((*worked_kept, *worked), key=lambda m: m.day)),
        )
    return changed_to(definition, definition.version + 1, years=dict(sorted(years.items())))


def _holidays(days: Iterable[NoticeDay]) -> list[Holiday]:
    """Days of one name that follow one another are one holiday; none goes beyond a year."""
    found: list[Holiday] = []
    for day in sorted((d for d in days if d.isOffDay), key=lambda d: d.date):
        last = found[-1] if found else None
        follows = (
            last is not None
            and last.name == day.name
            and last.last + _ONE_DAY == day.date
            and last.first.year == day.date.year
        )
        if last is not None and follows:
            found[-1] = last.model_copy(update={"last": day.date})
        elif last is None or last.last < day.date:
            found.append(
                Holiday(name=day.name, name_en=_english(day.name), first=day.date, last=day.date)
            )
        else:
            raise ValueError(f"{day.date} 写了两次 | {day.date} stands there twice")
    return found


def _make_up(days: tuple[NoticeDay, ...]) -> list[MakeUp]:
    """Each stands for one of the last working days that its holiday takes, in order.

    The notice itself does not say for which."""
    found = []
    for name in dict.fromkeys(day.name for day in days if not day.isOffDay):
        off = sorted(d.date for d in days if d.name == name and d.isOffDay)
        taken = [WEEKDAYS[d.weekday()] for d in off if d.weekday() < 5]
        worked = sorted(d.date for d in days if d.name == name and not d.isOffDay)
        if any(a == b for a, b in pairwise(worked)) or set(worked) & set(off):
            raise ValueError(f"{name} 有一天写了两次 | a day of {name} stands there twice")
        stand_for = taken[-len(worked) :] if len(taken) >= len(worked) else []
        for index, day in enumerate(worked):
            counts_as = stand_for[index] if stand_for else Weekday.FRI
            found.append(MakeUp(day=day, counts_as=counts_as))
    return found


def _english(name: str) -> str:
    parts = [_ENGLISH.get(part) for part in name.split("、")]
    return " and ".join(p for p in parts if p) if all(parts) else ""


def _meets(holiday: Holiday, others: Iterable[Holiday]) -> bool:
    return any(holiday.first <= o.last and o.first <= holiday.last for o in others)
