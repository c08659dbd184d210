"""The yearly notice as it is published: prose that says day by day what is off and what is worked.

一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。

A line about days that is not understood, or says two things that cannot both be, is refused and
named: dropped in silence it would make a holiday a working day.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

_YEAR = re.compile(r"(20\d\d)\s*年")
_NAME = r"[\u4e00-\u9fff]{2,4}(?:、[\u4e00-\u9fff]{2,4})*"
_SECTION = re.compile(
    r"(?:^|\n)(?:[（(]?[一二三四五六七八九十]+[)）]?\s?[、.．]?\s?|\d+\s?[、.．]\s?)?"
    rf"({_NAME})\s?[：:](.*?)"
    r"(?=\n(?:[（(]?[一二三四五六七八九十]+[)）]?\s?[、.．]|\d+\s?[、.．]|"
    rf"{_NAME}\s?[：:])|\Z)",
    re.S,
)
"""Of a text without empty lines and with single blanks."""
_WEEKDAY = (
    r"(?:\s*[（(][^）)]{{0,40}}(?:周|星期|礼拜)(?P<{0}>[一二三四五六日天])[^）)]{{0,40}}[）)])?"
)
_DATES = re.compile(
    r"(?:(?P<y>20\d\d)\s*年\s*)?(?:(?P<m>\d{1,2})\s*月\s*)?(?P<d>\d{1,2})\s*日"
    + _WEEKDAY.format("w")
    + r"(?:\s*(?:至|到|[-–—~])\s*(?:(?P<y2>20\d\d)\s*年\s*)?(?:(?P<m2>\d{1,2})\s*月\s*)?"
    r"(?P<d2>\d{1,2})\s*日" + _WEEKDAY.format("w2") + ")?"
)
_BEGINS_WITH_A_DAY = re.compile(r"\s*(?:20\d\d\s*年\s*)?\d{1,2}\s*月\s*\d{1,2}\s*日\s*\S")
_A_DAY = re.compile(r"\d\s*月\s*\d{1,2}\s*日")
_OFF = re.compile(r"(?<=日|）|\))\s*(?:放假|休息|调休|上班)")
_ASIDE = re.compile(r"[（(][^）)]{0,100}[）)]")
_PAPER = re.compile(
    r"(?:20\d\d\s*年\s*)?\d{1,2}\s*月\s*\d{1,2}\s*日[^，,。]{0,80}?(?:通知|文件|办法|规定|印发|公布|发布|修订)"
)
"""The day of a paper that is cited: 根据国务院办公厅2026年11月4日通知."""
_TOGETHER = re.compile(r"共\s*(\d+)\s*天")
_ENDS = re.compile(r"[。；;\n]")
_SAID = re.compile(r"(?P<off>放假|休息)|(?P<worked>上班)|调休")
_LONGEST = 31


class UnreadLine(ValueError):
    """A line that cannot be taken; in both languages, ``中文 | English``."""

    def __init__(self, line: str, zh: str, en: str) -> None:
        line = " ".join(line.split())[:80]
        super().__init__(f"“{line}”：{zh} | “{line}”: {en}")


def days_in(text: str) -> dict[str, Any] | None:
    """The notice in prose as ``{days: [{name, date, isOffDay}]}``; None where none is found.

    Raises UnreadLine for a line about days that says nothing, or what cannot be."""
    text = "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
    year = _YEAR.search(text)
    if year is None:
        return None
    days = []
    end = 0
    for section in _SECTION.finditer(text):
        _nothing_else(text[end : section.start()])
        end = section.end()
        name, body = section.groups()
        for sentence in _ENDS.split(_PAPER.sub("", body)):
            if not _SAID.search(sentence):
                # The date below the notice stands alone.
                if _BEGINS_WITH_A_DAY.match(sentence):
                    raise _neither(sentence)
                continue
            found = list(_days(sentence, int(year[1])))
            together = _TOGETHER.search(sentence)
            free = sum(off for _, off in found)
            if free and together and free != int(together[1]):
                raise UnreadLine(
                    f"{name}：{sentence}",
                    f"写的是 {together[1]} 天，这些日子是 {free} 天",
                    f"it says {together[1]} days, these are {free}",
                )
            days += [{"name": name, "date": day.isoformat(), "isOffDay": off} for day, off in found]
    _nothing_else(text[end:])
    return {"days": days} if days else None


def _nothing_else(text: str) -> None:
    """Refuse what speaks of days off and belongs to no holiday."""
    for sentence in _ENDS.split(_PAPER.sub("", text)):
        if (day := _A_DAY.search(sentence)) and _OFF.search(sentence, day.end()):
            raise UnreadLine(
                sentence,
                "看不出是哪个节日，请写成“清明节：4月4日至6日放假”",
                "which holiday is that? Please write 清明节：4月4日至6日放假",
            )


def _neither(sentence: str) -> UnreadLine:
    return UnreadLine(
        sentence,
        "看不出是放假还是上班，请写明“放假”或“上班”",
        "off or worked? Please say 放假 or 上班",
    )


def _days(sentence: str, year: int) -> Iterator[tuple[date, bool]]:
    """Each day, and whether it is off: by the word that follows it, else by the one before."""
    month = 0
    # An aside that names a weekday is compared; a date in any other is no day of its own.
    plain = _ASIDE.sub(lambda aside: "" if "日" in _undated(aside[0]) else aside[0], sentence)
    said = [(one.start(), one.lastgroup) for one in _SAID.finditer(plain) if one.lastgroup]
    for match in _DATES.finditer(plain):
        first_year = int(match["y"] or year)
        month = int(match["m"] or month)
        try:
            first = last = date(first_year, month, int(match["d"]))
            if match["d2"]:
                month = int(match["m2"] or month)
                last = date(int(match["y2"] or first_year), month, int(match["d2"]))
        except ValueError:
            raise UnreadLine(
                sentence, f"没有“{match[0]}”这样的日子", f"there is no {match[0]}"
            ) from None
        for day, weekday in ((first, match["w"]), (last, match["w2"])):
            if weekday and "一二三四五六日".index(weekday.replace("天", "日")) != day.weekday():
                is_a = "一二三四五六日"[day.weekday()]
                raise UnreadLine(sentence, f"{day} 是周{is_a}", f"{day} is a {day:%A}")
        if not 0 <= (last - first).days < _LONGEST:
            raise UnreadLine(
                sentence,
                f"{first} 到 {last} 不是一段假期",
                f"{first} to {last} are no days of one holiday",
            )
        off = _is_off(said, match.end())
        if off is None:
            raise _neither(sentence)
        yield from ((first + timedelta(days=n), off) for n in range((last - first).days + 1))


def _is_off(said: list[tuple[int, str]], end: int) -> bool | None:
    """By the first of what is `said` from `end` on, else by the last before it."""
    after = bisect_left(said, (end, ""))
    return said[min(after, len(said) - 1)][1] == "off" if said else None


def _undated(aside: str) -> str:
    """The aside without its weekday: what is left of 2月9日、周五 has a date in it."""
    return re.sub(r"(?:周|星期|礼拜)[一二三四五六日天]", "", aside)
