"""Dates of other systems as they are written: what moment, or what day, each means.

A date without a time of day is a day, not its midnight: whoever closes on the day that was due is
in time. `3/5/2024` is read as a whole column tells (`DateColumn`), never cell by cell.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

from shared.moments import LOCAL
from shared.nfkc import nfkc

Cell = object
"""A cell as a file gave it: text, number, date, moment, or nothing."""


class When(NamedTuple):
    """A moment; with `day`, only the day is known and `at` is its beginning."""

    at: datetime
    day: bool = False

    @property
    def end(self) -> datetime:
        """The last moment that still belongs to it, exclusive for a day."""
        return midnight(self.at, days=1) if self.day else self.at

    @property
    def local_day(self) -> date:
        """Where it falls."""
        return self.at.astimezone(LOCAL).date()

    def after(self, other: When) -> bool:
        """Whether this is certainly later: two that fall on one day are not, if one is a day."""
        if self.day or other.day:
            return self.local_day > other.local_day
        return self.at > other.at


class UnreadableDate(ValueError):
    """What stands where a date should be."""


def midnight(at: datetime, *, days: int = 0) -> datetime:
    """The beginning of the local day, or of one some days later."""
    day = at.astimezone(LOCAL).date() + timedelta(days=days)
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


@dataclass(slots=True)
class DateColumn:
    """How one column writes its dates, after `look` saw all its values."""

    month_first: bool | None = None
    """`3/5/2024` is the 5th of March; None while nothing speaks for either."""
    all_midnight: bool = True
    """Every time of day is 00:00: an export of days."""
    readable: int = 0
    unreadable: int = 0
    first_above_12: int = 0
    second_above_12: int = 0
    ambiguous: int = 0
    """Values that could be either."""
    with_am_pm: bool = False
    days: int = 0
    """Values that are days, whatever stands around them."""
    guessed: Counter[str] = field(default_factory=Counter)
    """What values could mean otherwise, too, and as what they are read."""

    def look(self, cell: Cell) -> None:
        """Take one value into account."""
        if isinstance(cell, str) and (pair := _pair(cell)) is not None:
            first, second = pair
            self.first_above_12 += first > 12
            self.second_above_12 += second > 12
            self.ambiguous += first <= 12 and second <= 12 and first != second
            self.with_am_pm = self.with_am_pm or cell.rstrip()[-1:] in "Mm"
            month_first = first <= 12
        else:
            month_first = True
        try:
            when = read_date(cell, month_first=month_first)
        except UnreadableDate:
            self.unreadable += 1
            return
        if when is not None:
            self.readable += 1
            self.days += when.day or _is_typed_day(cell)
            if (guess := _guess(cell)) is not None:
                self.guessed[guess] += 1
            if not when.day and self.all_midnight:
                self.all_midnight = when.at == midnight(when.at)

    @property
    def certain(self) -> bool | None:
        """What its own values say about `month_first`."""
        if self.first_above_12 == self.second_above_12:
            return None
        return self.second_above_12 > self.first_above_12

    def read(self, cell: Cell) -> When | None:
        """The value of a cell; None for an empty one. Raises UnreadableDate."""
        when = read_date(cell, month_first=self.month_first is not False)
        if when is None or when.day:
            return when
        # A typed cell of a workbook at midnight is a day there, whatever stands around it.
        return when._replace(day=self.all_midnight or _is_typed_day(cell))


def _is_typed_day(cell: Cell) -> bool:
    return isinstance(cell, datetime) and cell.time() == time()


def _guess(cell: Cell) -> str | None:
    """As what a readable value is read that could be something else; None: it says what it is."""
    if isinstance(cell, str):
        if _SHORT_YEAR.match(cell):
            return "years of two digits, read as 1970 to 2069"
        if " CST" in cell:
            return "CST, read as the time of China"
        if not _PLAIN_NUMBER.fullmatch(cell.strip()):
            return None
    elif not isinstance(cell, int | float):
        return None
    value = float(cell.strip().strip("'\"")) if isinstance(cell, str) else float(cell)
    if _SERIAL_FROM <= value < _SERIAL_TO:
        return "numbers, read as days since 1899-12-30"
    if _UNIX_FROM <= value < _UNIX_TO:
        return "numbers, read as seconds since 1970"
    if 1000 * _UNIX_FROM <= value < 1000 * _UNIX_TO:
        return "numbers, read as milliseconds since 1970"
    return None


_NOTHING = """
    - -- — —— – / \\n 0 null none nan nat n/a na #n/a nil unknown 0000-00-00
    无 空 暂无 未知 未办结 未回复 未答复
"""
_EMPTY = frozenset(_NOTHING.split()) | {"", "0000-00-00 00:00:00"}
_TIME = (
    r"(?:(?:[T_,]\s*|\s+|(?<=[日号)）])|(?=[上下中凌早晚傍]))(?P<before>上午|下午|晚上|中午|凌晨|早上|傍晚|[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<H>\d{1,2})\s*[:时點点h]\s*(?:(?P<M>\d{1,2})\s*分?)?(?:[:]?\s*(?P<S>\d{1,2}))?"
    r"(?:[.,](?P<f>\d{1,9}))?\s*秒?\s*(?P<after>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<z>Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{2,5})?(?:\s*\([^)]*\))?)?"
)
_WEEKDAY = r"(?:\s*[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?)?"
_NAME = r"(?P<mon>[A-Za-z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form + r"\s*")
    for form in (
        rf"(?P<y>\d{{4}})\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})\s*[日号]?"
        rf"{_WEEKDAY}{_TIME}",
        rf"(?P<a>\d{{1,2}})(?P<sep>[-/.])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}|\d{{2}}){_TIME}",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:T?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?"
        r"(?P<z>Z|[+-]\d{4})?",
        rf"(?:[A-Za-z]{{3,9}}\.?,?\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+{_NAME},?[\s-]+"
        rf"(?P<y>\d{{4}}|\d{{2}}){_TIME}",
        rf"(?:[A-Za-z]{{3,9}}\.?,?\s+)?{_NAME}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})"
        rf"(?:\s+at)?{_TIME}",
        rf"(?:[A-Za-z]{{3}}\s+)?{_NAME}\s+(?P<d>\d{{1,2}})\s+(?P<H>\d{{1,2}}):(?P<M>\d{{2}}):"
        r"(?P<S>\d{2})\s*(?P<z>[A-Z]{2,5})?\s*(?P<y>\d{4})",
    )
)
_USUAL = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{3}|\.\d{6})?)?(?:Z|[+-]\d\d:\d\d)?"
)
_SHORT_YEAR = re.compile(r"\s*\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ,]+\d{2}(?!\d)")
_PLAIN_NUMBER = re.compile(r"['\"]?\+?\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?['\"]?")
_PAIR = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?!\d)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        1,
    )
}
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "BST": 1, "CET": 1, "CEST": 2, "JST": 9, "KST": 9, "HKT": 8,
    "SGT": 8, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_AFTERNOON = frozenset(("下午", "晚上", "傍晚", "中午", "pm"))
_MORNING = frozenset(("上午", "早上", "凌晨", "am"))
_SERIAL_FROM, _SERIAL_TO = 20_000, 80_000
"""What Excel counts in days since 1899-12-30: from 1954 until 2119."""
_UNIX_FROM, _UNIX_TO = 631_152_000, 4_102_444_800
_FIRST_DAY = datetime(1899, 12, 30, tzinfo=LOCAL)
_LONGEST = 100
"""Characters of a date, its zone in words included."""
_FIRST_YEAR, _LAST_YEAR = 1992, 2097
"""Beyond them no calendar reaches."""


def read_date(cell: Cell, *, month_first: bool = True) -> When | None:
    """What a cell means; None for an empty one. Without a zone it is local time.

    Raises UnreadableDate."""
    if cell is None or isinstance(cell, bool):
        return None
    if isinstance(cell, datetime):
        return _checked(_aware(cell))
    if isinstance(cell, date):
        return _checked(datetime.combine(cell, time(), LOCAL), day=True)
    if isinstance(cell, int | float):
        # 20240305 is a date, too, where a workbook made a number of it.
        whole = cell == cell and abs(cell) < 1e15 and cell == int(cell)
        return _text(str(int(cell) if whole else cell), month_first)
    return _text(str(cell), month_first)


@lru_cache(maxsize=1 << 14)
def _text(text: str, month_first: bool) -> When | None:
    if _USUAL.fullmatch(text):
        # Most files; the long way gives the same.
        with suppress(ValueError):
            return _checked(_aware(datetime.fromisoformat(text)))
    if len(text.strip()) > _LONGEST:
        raise UnreadableDate(text)
    plain = nfkc(text).strip().strip("'\"").strip()
    if plain.lower() in _EMPTY:
        return None
    for form in _FORMS:
        if match := form.fullmatch(plain):
            try:
                return _matched(match.groupdict(), month_first)
            except (ValueError, OverflowError):
                continue
    try:
        return _number(float(plain))
    except ValueError:
        raise UnreadableDate(text) from None


def _matched(found: dict[str, str | None], month_first: bool) -> When:
    year = int(found["y"] or 0)
    if year < 100:
        year += 2000 if year < 70 else 1900
    if first := found.get("a"):
        pair = int(first), int(found["b"] or 0)
        month, day = pair if month_first else pair[::-1]
    else:
        name = (found.get("mon") or "")[:3].lower()
        month = _MONTHS.get(name, 0) if name else int(found["m"] or 0)
        day = int(found["d"] or 0)
    if found.get("H") is None:
        return _checked(datetime(year, month, day, tzinfo=LOCAL), day=True)
    hour = _hour(int(found["H"] or 0), found.get("before"), found.get("after"))
    more, hour = divmod(hour, 24)
    fraction = int((found.get("f") or "0").ljust(6, "0")[:6])
    minute, second = int(found.get("M") or 0), int(found.get("S") or 0)
    if more > 1 or (more and (hour or minute or second)):
        raise ValueError("no such hour")
    at = datetime(year, month, day, hour, minute, min(second, 59), fraction, _zone(found.get("z")))
    return _checked(at + timedelta(days=more))


def _hour(hour: int, before: str | None, after: str | None) -> int:
    half = (before or after or "").replace(".", "").lower()
    if half in _AFTERNOON and hour < 12:
        # 中午 11:30 is before noon.
        return hour if half == "中午" and hour > 9 else hour + 12
    return 0 if half in _MORNING and hour == 12 else hour


def _zone(name: str | None) -> tzinfo:
    # CST is China's here, as in what Java prints.
    if not name or name == "CST":
        return LOCAL
    if name in _ZONES:
        return timezone(timedelta(hours=_ZONES[name]))
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", name)
    if offset is None:
        raise ValueError(f"unknown zone {name}")
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return timezone(-span if offset[1] == "-" else span)


def _number(value: float) -> When:
    if _SERIAL_FROM <= value < _SERIAL_TO:
        at = _FIRST_DAY + timedelta(days=int(value))
        seconds = round((value - int(value)) * 86_400)
        return _checked(at + timedelta(seconds=seconds), day=not seconds)
    if 1000 * _UNIX_FROM <= value < 1000 * _UNIX_TO:
        value /= 1000
    if _UNIX_FROM <= value < _UNIX_TO:
        return _checked(datetime.fromtimestamp(value, UTC))
    raise UnreadableDate(repr(value))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=LOCAL)


def _checked(at: datetime, *, day: bool = False) -> When:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise UnreadableDate(at.isoformat())
    return When(at.astimezone(UTC), day)


def _pair(cell: str) -> tuple[int, int] | None:
    match = _PAIR.match(cell)
    return (int(match[1]), int(match[2])) if match else None
