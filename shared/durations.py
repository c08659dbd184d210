"""Lengths of time as the policy writes them (`4h`, `2.5wd`, `30min 24x7`), in people's words."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d{1,4}(?:\.\d{1,2})?) ?(min|h|wd)( 24x7)?")
_SPANS = {
    "min": ("{n} 分钟", "{n} minute{s}"),
    "h": ("{n} 小时", "{n} hour{s}"),
    "wd": ("{n} 个工作日", "{n} working day{s}"),
}
_DAY_AND_NIGHT = ("{span}（不分昼夜）", "{span} (day and night)")
_WITHIN = {
    "wd": ("{span}内", "within {span}"),
    " 24x7": ("{span}内（不分昼夜）", "within {span}, day and night"),
    "h": ("工作时间 {span}内", "within {n} working hour{s}"),
    "min": ("工作时间 {span}内", "within {span} of working time"),
}


def duration_words(code: str, locale: str) -> str:
    """`5wd` → "5 个工作日"; `4h 24x7` → "4 小时（不分昼夜）"; "" for what is no duration."""
    if (match := _DURATION.fullmatch(code)) is None:
        return ""
    span = _span(match, locale)
    return _DAY_AND_NIGHT[locale == "en"].format(span=span) if match[3] else span


def within_words(code: str, locale: str) -> str:
    """`5wd` → "5 个工作日内"; `4h` → "工作时间 4 小时内"; "" for what is no duration."""
    if (match := _DURATION.fullmatch(code)) is None:
        return ""
    words = _WITHIN[match[3] or match[2]][locale == "en"]
    return words.format(span=_span(match, locale), **_number(match))


def _span(match: re.Match[str], locale: str) -> str:
    return _SPANS[match[2]][locale == "en"].format(**_number(match))


def _number(match: re.Match[str]) -> dict[str, str]:
    return {"n": match[1], "s": "" if float(match[1]) == 1 else "s"}
