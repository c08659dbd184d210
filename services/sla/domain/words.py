"""Deadlines as people say them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_ZH_DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_NEAR = {
    -1: ("昨天", "yesterday"),
    0: ("今天", "today"),
    1: ("明天", "tomorrow"),
}


def say_deadline(
    due: datetime, now: datetime, locale: str = "zh", zone: ZoneInfo = SHANGHAI
) -> str:
    """`周二 17:00 前` / `by Tue 17:00`: a weekday alone only while it means one day, within six.

    Seconds are dropped: what is promised "by 17:00" comes due within that minute, never before.
    """
    due, now = due.astimezone(zone), now.astimezone(zone)
    days = (due.date() - now.date()).days
    clock = f"{due:%H:%M}"
    if locale == "en":
        if days in _NEAR:
            return f"by {clock} {_NEAR[days][1]}"
        weekday = _EN_DAYS[due.weekday()]
        if 1 < days < 7:
            return f"by {weekday} {clock}"
        year = f" {due.year}" if due.year != now.year else ""
        return f"by {weekday} {due.day} {_EN_MONTHS[due.month - 1]}{year} {clock}"
    if days in _NEAR:
        return f"{_NEAR[days][0]} {clock} 前"
    weekday = _ZH_DAYS[due.weekday()]
    if 1 < days < 7:
        return f"{weekday} {clock} 前"
    year = f"{due.year}年" if due.year != now.year else ""
    return f"{year}{due.month}月{due.day}日 {weekday} {clock} 前"
