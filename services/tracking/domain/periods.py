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
FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Years that can be meant."""
_ENDS = {"from": ("开始的日子", "The beginning"), "to": ("结束的日子", "The end")}
_STILL_TO_COME = (
    "开始的日子还没有到；要看以后的，请也写明到哪一天。"
    " | The beginning is still to come; to look ahead, say until when as well."
)


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

    A date as `end` means the whole of that day. ValueError (which end, words for people) for what
    is no date, runs backwards, is longer than `LONGEST` days, or has no end and is still to come.
    """
    today = day_of(now)
    last = _moment(end, "to", whole_day=True) if end else None
    first = _moment(begin, "from") if begin else None
    if last is None:
        last = today + ONE_DAY
        if first is not None and first >= last:
            raise ValueError("from", _STILL_TO_COME)
    if first is None:
        first = day_of(last - timedelta(microseconds=1))
    first = hour_of(first)
    if last != hour_of(last):
        last = hour_of(last) + timedelta(hours=1)
    if first >= last:
        raise ValueError("to", "结束早于开始。 | The end is before the beginning.")
    if last - first > LONGEST * ONE_DAY:
        raise ValueError("from", f"时段最多 {LONGEST} 天。 | A period has at most {LONGEST} days.")
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
    zh, en = _ENDS[field]
    try:
        if len(words) <= 10:
            day = date.fromisoformat(words)
        else:
            # A plus sign that nobody escaped arrives as a blank.
            day = datetime.fromisoformat(words.replace(" ", "+") if "T" in words else words)
    except (ValueError, OverflowError):
        said = f"{zh}须为日期，如 2026-03-04。 | {en} must be a date such as 2026-03-04."
        raise ValueError(field, said) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        said = f"{zh}须在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间。"
        raise ValueError(field, f"{said} | {en} must be between {FIRST_YEAR} and {LAST_YEAR}.")
    if not isinstance(day, datetime):
        return midnight(day) + ONE_DAY if whole_day else midnight(day)
    return (day if day.tzinfo is not None else day.replace(tzinfo=LOCAL)).astimezone(UTC)
