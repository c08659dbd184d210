"""Times as people say them, and the one zone they are said in.

"周二 17:00 前", "2 小时前", "还有 40 分钟". Inside everything is aware UTC; this is the edge.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")
"""Where this system is read. `LOCAL.key` is its name."""
WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_NEAR = {
    -1: ("昨天", "yesterday"),
    0: ("今天", "today"),
    1: ("明天", "tomorrow"),
    2: ("后天", ""),
}

Moment = datetime | str | None

FURTHEST_AHEAD = timedelta(days=2 * 366)
"""How far ahead of now a date may lie that somebody names: what is later is a slip of the pen, and
no calendar counts to it."""
# A day from either end of what a datetime can be, so that every zone and a week's sums fit in.
_EARLIEST, _LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


def not_ahead(until: datetime, now: datetime) -> tuple[str, str] | None:
    """Why `until` cannot be a date that is waited for or promised (Chinese, English), or None."""
    if until <= now:
        return "时间须在将来。", "The time must be in the future."
    if until - now > FURTHEST_AHEAD:
        return "时间太远了，最多两年以内。", "That is too far ahead; two years at most."
    return None


def here(value: datetime) -> datetime:
    """An aware moment in the zone it is read in; one at the end of time is shown as near it."""
    if not _EARLIEST < value < _LATEST:
        value = min(max(value, _EARLIEST), _LATEST)
    return value.astimezone(LOCAL)


def moment(value: Moment) -> datetime | None:
    """An aware moment of what an API body carries; None stays None, as does what is no time."""
    if not value:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def local(value: Moment) -> str | None:
    """RFC 3339 with the local offset, as bodies carry it."""
    at = moment(value)
    return here(at).isoformat() if at else None


def as_read(value: datetime) -> datetime:
    """A moment to the minute, as it is read: two that read the same are one date to people."""
    return value.replace(second=0, microsecond=0)


def day_words(value: datetime, now: datetime, locale: str = "zh") -> str:
    """The day of `value` as seen from `now`: 今天, 明天, 周四, 下周二, 11月27日."""
    day, today = here(value).date(), here(now).date()
    distance = (day - today).days
    zh = locale == "zh"
    near = _NEAR.get(distance)
    if near and near[not zh]:
        return near[not zh]
    weekday = WEEKDAYS[locale if zh else "en"][day.weekday()]
    monday = today - timedelta(days=today.weekday())
    if monday <= day < monday + timedelta(days=7):
        return weekday
    if zh and monday + timedelta(days=7) <= day < monday + timedelta(days=14):
        return f"下{weekday}"
    if not zh and -6 <= distance <= 6:
        return weekday
    if zh:
        return (
            f"{day.month}月{day.day}日"
            if day.year == today.year
            else f"{day:%Y}年{day.month}月{day.day}日"
        )
    short = f"{day.day} {MONTHS[day.month - 1]}"
    return short if day.year == today.year else f"{short} {day.year}"


def moment_words(value: Moment, now: datetime, locale: str = "zh") -> str:
    """ "周四 17:00": a moment without before or ago."""
    at = moment(value)
    if at is None:
        return ""
    at = here(at)
    return f"{day_words(at, now, locale)} {at.hour:02}:{at.minute:02}"


def hour_words(value: Moment) -> str:
    """ "09:00": the time of day, local."""
    at = moment(value)
    return f"{here(at):%H:%M}" if at else ""


def due_words(value: Moment, now: datetime, locale: str = "zh") -> str:
    """ "周二 17:00 前" / "by 17:00 on Tue"; for one that has passed "原定周二 17:00"."""
    at = moment(value)
    if at is None:
        return ""
    if locale == "zh":
        said = moment_words(at, now)
        return f"{said} 前" if at >= now else f"原定{said}"
    day, hour = day_words(at, now, "en"), f"{here(at):%H:%M}"
    on = day if day in ("yesterday", "today", "tomorrow") else f"on {day}"
    return f"by {hour} {on}" if at >= now else f"was due {hour} {on}"


def written_day(value: datetime, locale: str = "zh") -> str:
    """`3月4日` / `4 Mar`, for what is read on another day: never "tomorrow"."""
    day = here(value)
    if locale == "en":
        return f"{day.day} {MONTHS[day.month - 1]}"
    return f"{day.month}月{day.day}日"


def written_due(value: datetime, locale: str = "zh") -> str:
    """`3月11日（周三）17:00 前` / `17:00 on Wed 11 Mar`, for what is read on another day."""
    at, day = here(value), written_day(value, locale)
    if locale == "en":
        return f"{at:%H:%M} on {WEEKDAYS['en'][at.weekday()]} {day}"
    return f"{day}（{WEEKDAYS['zh'][at.weekday()]}）{at:%H:%M} 前"


def day_and_hour(value: Moment, locale: str = "zh") -> str:
    """``03-11 10:00`` / ``11 Mar 10:00``: short, and true whenever it is read."""
    at = moment(value)
    if at is None:
        return "–"
    day = written_day(at, "en") if locale == "en" else f"{here(at):%m-%d}"
    return f"{day} {here(at):%H:%M}"


def ago_words(value: Moment, now: datetime, locale: str = "zh") -> str:
    """ "刚刚", "5 分钟前", "2 小时前", "昨天 15:20"."""
    at = moment(value)
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    zh = locale == "zh"
    if -90 < seconds < 60:
        return "刚刚" if zh else "just now"
    if 0 < seconds < 3600:
        minutes = int(seconds // 60)
        return f"{minutes} 分钟前" if zh else f"{minutes} min ago"
    same_day = here(at).date() == here(now).date()
    if seconds > 0 and same_day:
        hours = int(seconds // 3600)
        return f"{hours} 小时前" if zh else f"{hours} h ago"
    return moment_words(at, now, locale)


def span_words(span: timedelta, locale: str = "zh") -> str:
    """ "40 分钟", "3 小时", "2 天": a length of time, rounded down to one unit."""
    minutes = int(abs(span.total_seconds()) // 60)
    zh = locale == "zh"
    if minutes < 1:
        return "不到 1 分钟" if zh else "under a minute"
    if minutes < 60:
        return f"{minutes} 分钟" if zh else f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} 小时" if zh else f"{minutes // 60} h"
    days = minutes // (24 * 60)
    return f"{days} 天" if zh else f"{days} days"


def left_words(value: Moment, now: datetime, locale: str = "zh") -> str:
    """ "还有 3 小时" or "已超 2 小时"."""
    at = moment(value)
    if at is None:
        return ""
    span = span_words(at - now, locale)
    if locale == "zh":
        return f"还有 {span}" if at >= now else f"已超 {span}"
    return f"{span} left" if at >= now else f"{span} over"


def exact_words(value: Moment, locale: str = "zh") -> str:
    """The whole truth, for whoever hovers: date, weekday, time, zone."""
    at = moment(value)
    if at is None:
        return ""
    at = here(at)
    weekday = WEEKDAYS[locale if locale == "zh" else "en"][at.weekday()]
    if locale == "zh":
        return f"{at:%Y}年{at.month}月{at.day}日 {weekday} {at:%H:%M:%S}（北京时间）"
    return f"{weekday} {at.day} {MONTHS[at.month - 1]} {at:%Y, %H:%M:%S} (Beijing)"


def used_share(start: Moment, due: Moment, now: datetime) -> int:
    """How much of the time between `start` and `due` is used up: 0 to 100."""
    begin, end = moment(start), moment(due)
    if begin is None or end is None:
        return 0
    if end <= begin or now >= end:
        return 100
    return max(0, int(100 * (now - begin) / (end - begin)))


def urgency(start: Moment, due: Moment, now: datetime) -> str:
    """The one thing colour is for: ``over``, ``soon`` (75 % used or under an hour), ``calm``."""
    end = moment(due)
    if end is None:
        return "calm"
    if now >= end:
        return "over"
    tight = end - now < timedelta(hours=1) or used_share(start, due, now) >= 75
    return "soon" if tight else "calm"
