"""What the pages of sla say: kinds of days, rows of the policy, lengths of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache, partial
from typing import Any

from services.sla.domain.calendars import Weekday
from services.sla.domain.working_time import Windows
from services.sla.wording.messages import translate
from shared import durations
from shared.moments import MONTHS, WEEKDAYS
from shared.web import names

KINDS = {
    "entry": "单独安排",
    "make_up": "调休上班",
    "holiday": "放假",
    "exam": "考试周",
    "vacation": "假期",
    "open": "上班",
    "closed": "休息",
}
MARKS = {"entry": "改", "make_up": "班", "holiday": "休", "exam": "考", "vacation": "假"}
"""Beside the colour, in the cell of a day."""
ROLES = {
    "coordinator": "协调人员",
    "leader": "馆领导",
    "admin": "系统管理员",
    "auditor": "审计人员",
    "clerk": "前台人员",
    "student": "学生助理",
    "liaison": "部门联络人",
    "handler": "经办人",
    "reviewer": "部门负责人",
}
DIMENSION_NAMES = {
    "department": "部门",
    "group": "读者群体",
    "category": "类别",
    "channel": "渠道",
    "type": "类型",
    "priority": "优先级",
}
_FIELDS = {
    "first": "从",
    "last": "到",
    "name": "名称",
    "name_en": "英文名称",
    "hours": "上班时间",
    "counts_as": "算星期几",
    "kind": "是",
    "week": "每天的上班时间",
    "year": "年份",
    "notice": "通知",
    "reason": "原因",
    "action": "改成",
    "department": "部门",
}
"""Of the forms of the calendar."""
_ROWS = (
    ("priority", names.PRIORITIES),
    ("type", names.TYPES),
    ("channel", names.CHANNELS),
)


def page_words(locale: str) -> Mapping[str, Any]:
    """What the templates call, in the reader's language."""
    named = partial(_named, locale=locale)
    return {
        "kind_name": partial(named, KINDS),
        "kinds": {kind: named(KINDS, kind) for kind in KINDS},
        "marks": {kind: named(MARKS, kind) for kind in MARKS},
        "kind_mark": partial(named, MARKS),
        "row_name": partial(row_name, locale=locale),
        "role_name": partial(named, ROLES),
        "dimension_name": partial(named, DIMENSION_NAMES),
        "duration_words": partial(duration_words, locale=locale),
        "hours_words": partial(hours_words, locale=locale),
        "day_words": partial(day_words, locale=locale),
        "month_name": partial(month_name, locale=locale),
        "weekday_names": WEEKDAYS[locale if locale == "zh" else "en"],
    }


def field_name(name: str, locale: str) -> str:
    """What a field of the calendar's forms is called: `week.mon` is Monday's."""
    if name.startswith("week.") and name[5:] in Weekday._value2member_map_:
        return WEEKDAYS[locale if locale == "zh" else "en"][list(Weekday).index(Weekday(name[5:]))]
    return _named(_FIELDS, name, locale=locale)


def row_name(name: str, locale: str) -> str:
    """What a row of the policy is called: `P1` → "P1 紧急", `praise` → 表扬; else its own name."""
    for kind, table in _ROWS:
        if name in table:
            said = names.pick(kind, table, name, locale)
            return f"{name} {said}" if kind == "priority" else said
    return name


def role_name(code: str, locale: str) -> str:
    """`leader` → 馆领导."""
    return _named(ROLES, code, locale=locale)


def duration_words(code: str | None, locale: str) -> str:
    """`5wd` → "5 个工作日"; `4h 24x7` → "4 小时（不分昼夜）"."""
    return durations.duration_words(code, locale) if code else "–"


@lru_cache(maxsize=256)
def hours_words(windows: Windows, locale: str) -> str:
    """`08:30–12:00、13:30–17:30`; none is 休息."""
    if not windows:
        return translate("休息", locale)
    return translate("、", locale).join(
        f"{opens:%H:%M}–{'24:00' if closes == time(0) else f'{closes:%H:%M}'}"
        for opens, closes in windows
    )


def day_words(day: date, locale: str) -> str:
    """`10月1日（周四）`, `Thu 1 Oct`."""
    weekday = WEEKDAYS[locale if locale == "zh" else "en"][day.weekday()]
    if locale == "zh":
        return f"{day.month}月{day.day}日（{weekday}）"
    return f"{weekday} {day.day} {MONTHS[day.month - 1]}"


def month_name(number: int, locale: str) -> str:
    """`10月`, `Oct`."""
    return f"{number}月" if locale == "zh" else MONTHS[number - 1]


def _named(names: Mapping[str, str], code: object, *, locale: str) -> str:
    found = names.get(str(code))
    return translate(found, locale) if found else str(code or "")
