"""Hours and days as people in the library count them: local, held as aware UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from shared.moments import LOCAL

NOW = datetime(1970, 1, 1, tzinfo=UTC)
"""The bucket of what is true at present, such as the number of open cases."""
ONE_DAY = timedelta(days=1)
LONGEST = 370
"""Days a period may have."""


@lru_cache(maxsize=20_000)
def day_of(moment: datetime) -> datetime:
    """The local midnight at which that day began."""
    return midnight(moment.astimezone(LOCAL).date())


def hour_of(moment: datetime) -> datetime:
    """The full hour at or before `moment`."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def weekday_hour(moment: datetime) -> str:
    """``1-09``: on a Monday (7 is Sunday) between 9 and 10, by local time."""
    local = moment.astimezone(LOCAL)
    return f"{local.isoweekday()}-{local.hour:02d}"


def midnight(day: date) -> datetime:
    """When that local day begins."""
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


def period(begin: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The period asked for as ``[begin, end)`` on full hours; without dates: today.

    A date as `end` means the whole of that day. ValueError, in words for people, for what is no
    date, runs backwards, or is longer than `LONGEST` days.
    """
    today = day_of(now)
    last = _moment(end, "to", whole_day=True) if end else None
    first = _moment(begin, "from") if begin else None
    if last is None:
        last = max(today, first or today) + ONE_DAY
    if first is None:
        first = day_of(last - timedelta(microseconds=1))
    first = hour_of(first)
    if last != hour_of(last):
        last = hour_of(last) + timedelta(hours=1)
    if first >= last:
        raise ValueError("to", "结束早于开始 | the end is before the beginning")
    if last - first > LONGEST * ONE_DAY:
        raise ValueError("from", f"最多 {LONGEST} 天 | at most {LONGEST} days")
    return first, last


PRESETS = ("today", "week", "month", "term")
TERMS = ((2, 15), (9, 1))
"""Month and day on which a term begins; a calendar of terms is kept elsewhere."""


def preset(name: str, now: datetime) -> tuple[datetime, datetime]:
    """The period of this name until the end of today: since midnight, Monday, the first of the
    month, the beginning of the term."""
    today = now.astimezone(LOCAL).date()
    match name:
        case "week":
            first = today - timedelta(days=today.weekday())
        case "month":
            first = today.replace(day=1)
        case "term":
            begun = [date(year, *at) for year in (today.year - 1, today.year) for at in TERMS]
            first = max(day for day in begun if day <= today)
        case _:
            first = today
    return midnight(first), day_of(now) + ONE_DAY


def days_between(first: datetime, last: datetime) -> list[datetime]:
    """The beginnings of the local days that touch ``[first, last)``."""
    days = []
    day = day_of(first)
    while day < last:
        days.append(day)
        day = day_of(day + ONE_DAY)
    return days


def _moment(words: str, field: str, *, whole_day: bool = False) -> datetime:
    try:
        if len(words) <= 10:
            day = midnight(_in_our_times(date.fromisoformat(words)))
            return day + ONE_DAY if whole_day else day
        # A plus sign that nobody escaped arrives as a blank.
        moment = datetime.fromisoformat(words.replace(" ", "+") if "T" in words else words)
        _in_our_times(moment)
    except (ValueError, OverflowError):
        raise ValueError(
            field, "须为日期，如 2026-03-04 | must be a date such as 2026-03-04"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=LOCAL)
    return moment.astimezone(UTC)


def _in_our_times(day: date) -> date:
    """`day` itself; years that cannot be meant are no dates."""
    if not 2000 <= day.year <= 2200:
        raise ValueError(day)
    return day
