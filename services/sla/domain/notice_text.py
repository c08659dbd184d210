"""The yearly notice as it is published: prose that says day by day what is off and what is worked.

一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

_YEAR = re.compile(r"(20\d\d)\s*年")
_SECTION = re.compile(
    r"(?:^|\n)\s*(?:[（(]?[一二三四五六七八九十]+[)）]?\s*[、.．]?\s*|\d+\s*[、.．]\s*)?"
    r"([\u4e00-\u9fff]{2,4}(?:、[\u4e00-\u9fff]{2,4})*)\s*[：:](.*?)"
    r"(?=\n\s*(?:[（(]?[一二三四五六七八九十]+[)）]?\s*[、.．]|\d+\s*[、.．])|\Z)",
    re.S,
)
_DATES = re.compile(
    r"(?:(?P<y>20\d\d)\s*年\s*)?(?:(?P<m>\d{1,2})\s*月\s*)?(?P<d>\d{1,2})\s*日"
    r"(?:\s*(?:至|到|[-–—~])\s*(?:(?P<y2>20\d\d)\s*年\s*)?(?:(?P<m2>\d{1,2})\s*月\s*)?"
    r"(?P<d2>\d{1,2})\s*日)?"
)
_ASIDE = re.compile(r"[（(][^）)]*[）)]")
_LONGEST = 31


def days_in(text: str) -> dict[str, Any] | None:
    """The notice in prose as ``{days: [{name, date, isOffDay}]}``; None where none is found.

    Raises ValueError for a date that is none."""
    year = _YEAR.search(text)
    if year is None:
        return None
    days = []
    for name, body in _SECTION.findall(text):
        for sentence in re.split(r"[。；;\n]", _ASIDE.sub("", body)):
            off = "放假" in sentence or "休息" in sentence
            if not off and "上班" not in sentence:
                continue
            for day in _days(sentence, int(year[1])):
                days.append({"name": name, "date": day.isoformat(), "isOffDay": off})
    return {"days": days} if days else None


def _days(sentence: str, year: int) -> Iterator[date]:
    month = 0
    for match in _DATES.finditer(sentence):
        first_year = int(match["y"] or year)
        month = int(match["m"] or month)
        first = last = date(first_year, month, int(match["d"]))
        if match["d2"]:
            month = int(match["m2"] or month)
            last = date(int(match["y2"] or first_year), month, int(match["d2"]))
        if not 0 <= (last - first).days < _LONGEST:
            raise ValueError(f"{first} to {last}")
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
