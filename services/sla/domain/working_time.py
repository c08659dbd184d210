"""Working time: several windows a day, holidays, make-up workdays, vacation hours, departments.

Everything is counted on one axis, "working microseconds since the table began", so that adding
and measuring are two bisections whatever the distance. All results are aware UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

Windows = tuple[tuple[time, time], ...]
"""Opening and closing times of one day, in order; a closing time of 00:00 is midnight after it."""

ZERO = timedelta(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


class OutsideCalendar(ValueError):
    """A moment no calendar reaches, or a calendar without any working hour."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"no working time can be counted around {at.isoformat()}")
        self.at = at


class WorkingTime(Protocol):
    """What a clock needs of a calendar."""

    def add_working(self, start: datetime, amount: timedelta) -> datetime: ...
    def subtract_working(self, end: datetime, amount: timedelta) -> datetime: ...
    def working_between(self, a: datetime, b: datetime) -> timedelta: ...
    def is_open(self, at: datetime) -> bool: ...
    def next_opening(self, at: datetime) -> datetime: ...


class RoundTheClock:
    """24×7: working time is time."""

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        _refuse_negative(amount)
        return start.astimezone(UTC) + amount

    def subtract_working(self, end: datetime, amount: timedelta) -> datetime:
        _refuse_negative(amount)
        return end.astimezone(UTC) - amount

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        return b - a

    def is_open(self, at: datetime) -> bool:
        return True

    def next_opening(self, at: datetime) -> datetime:
        return at.astimezone(UTC)


class _AsFarAsCounted:
    """A calendar, and beyond its years plain time."""

    def __init__(self, working: WorkingTime) -> None:
        self._working = working
        self._beyond = RoundTheClock()

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        try:
            return self._working.add_working(start, amount)
        except OutsideCalendar:
            return self._shifted(start, amount)

    def subtract_working(self, end: datetime, amount: timedelta) -> datetime:
        try:
            return self._working.subtract_working(end, amount)
        except OutsideCalendar:
            return self._shifted(end, -amount)

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        try:
            return self._working.working_between(a, b)
        except OutsideCalendar:
            return self._beyond.working_between(a, b)

    def is_open(self, at: datetime) -> bool:
        try:
            return self._working.is_open(at)
        except OutsideCalendar:
            return self._beyond.is_open(at)

    def next_opening(self, at: datetime) -> datetime:
        try:
            return self._working.next_opening(at)
        except OutsideCalendar:
            return self._beyond.next_opening(at)

    def _shifted(self, at: datetime, by: timedelta) -> datetime:
        try:
            return at.astimezone(UTC) + by
        except OverflowError:
            return at


def as_far_as_counted(working: WorkingTime) -> WorkingTime:
    """For dates that people name: one that `working` does not reach is still that date, and a case
    must not stand still for it. Around it, plain time counts."""
    return _AsFarAsCounted(working)


class _Table(NamedTuple):
    """All windows of whole years: where each starts and ends, and the working time before it."""

    first_year: int
    last_year: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    through: list[int]

    def elapsed(self, t: int) -> int:
        """Working time from the table's beginning to `t`."""
        i = bisect_right(self.starts, t) - 1
        return 0 if i < 0 else self.before[i] + min(t, self.ends[i]) - self.starts[i]

    def moment(self, elapsed: int) -> int:
        """The *earliest* moment with that much behind it: a window's end, not the next opening."""
        i = bisect_left(self.through, elapsed)
        return self.starts[i] + elapsed - self.before[i]


class WorkingCalendar:
    """The working hours of one unit. Immutable to its users; its table grows when asked further."""

    def __init__(
        self,
        hours_on: Callable[[date], Windows],
        *,
        zone: ZoneInfo,
        first_year: int = 2024,
        last_year: int = 2028,
    ) -> None:
        self._hours_on = hours_on
        self._zone = zone
        self._table = self._build(first_year, last_year)

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """`start` plus working time. Outside hours it begins to count at the next opening; an
        amount that uses up a window exactly ends with that window."""
        _refuse_negative(amount)
        if amount == ZERO:
            return start.astimezone(UTC) if self._is_end(start) else self.next_opening(start)
        return self._shift(start, amount)

    def subtract_working(self, end: datetime, amount: timedelta) -> datetime:
        """The earliest moment from which exactly `amount` of working time is left until `end`."""
        _refuse_negative(amount)
        return end.astimezone(UTC) if amount == ZERO else self._shift(end, -amount)

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Working time from `a` to `b`; negative when `b` is before `a`."""
        table = self._covering(a, b)
        return (table.elapsed(_micros(b)) - table.elapsed(_micros(a))) * _MICRO

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at this moment; a window's end no longer belongs to it."""
        table, t = self._covering(at), _micros(at)
        i = bisect_right(table.starts, t) - 1
        return i >= 0 and t < table.ends[i]

    def next_opening(self, at: datetime) -> datetime:
        """`at` itself when open, otherwise the beginning of the next window."""
        if self.is_open(at):
            return at.astimezone(UTC)
        t = _micros(at)
        while True:
            table = self._table
            i = bisect_left(table.starts, t)
            if i < len(table.starts):
                return _datetime(table.starts[i])
            self._grow(at, later=True)

    def _is_end(self, at: datetime) -> bool:
        table, t = self._covering(at), _micros(at)
        i = bisect_left(table.ends, t)
        return i < len(table.ends) and table.ends[i] == t

    def _shift(self, at: datetime, amount: timedelta) -> datetime:
        t, by = _micros(at), amount // _MICRO
        self._covering(at)
        while True:
            table = self._table
            target = table.elapsed(t) + by
            if target <= 0:
                self._grow(at, later=False)
            elif not table.through or target > table.through[-1]:
                self._grow(at, later=True)
            else:
                return _datetime(table.moment(target))

    def _covering(self, *moments: datetime) -> _Table:
        for at in moments:
            if not _FIRST_YEAR < at.year < _LAST_YEAR:
                raise OutsideCalendar(at)
            # a year's slack: a local year is not a UTC year
            while at.year - 1 < self._table.first_year:
                self._grow(at, later=False)
            while at.year + 1 > self._table.last_year:
                self._grow(at, later=True)
        return self._table

    def _grow(self, at: datetime, *, later: bool) -> None:
        """Twice as many years, so that far dates do not cost a rebuild for each year."""
        first, last = self._table.first_year, self._table.last_year
        if (later and last >= _LAST_YEAR) or (not later and first <= _FIRST_YEAR):
            raise OutsideCalendar(at)
        years = last - first + 1
        first, last = (first, last + years) if later else (first - years, last)
        self._table = self._build(max(first, _FIRST_YEAR), min(last, _LAST_YEAR))

    def _build(self, first_year: int, last_year: int) -> _Table:
        table = _Table(first_year, last_year, [], [], [], [])
        total = 0
        for start, end in self._windows(first_year, last_year):
            table.starts.append(start)
            table.ends.append(end)
            table.before.append(total)
            total += end - start
            table.through.append(total)
        return table

    def _windows(self, first_year: int, last_year: int) -> Iterator[tuple[int, int]]:
        day, stop = date(first_year, 1, 1), date(last_year + 1, 1, 1)
        while day < stop:
            following = day + timedelta(days=1)
            for opens, closes in self._hours_on(day):
                until = following if closes == time(0) else day
                yield (
                    _micros(datetime.combine(day, opens, self._zone)),
                    _micros(datetime.combine(until, closes, self._zone)),
                )
            day = following


def _refuse_negative(amount: timedelta) -> None:
    if amount < ZERO:
        raise ValueError(f"an amount of working time is not negative: {amount}")


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICRO


def _datetime(micros: int) -> datetime:
    return _EPOCH + micros * _MICRO
