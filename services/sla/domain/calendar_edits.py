"""What a person can do to the calendar, as one value that a form or a program fills in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.sla.domain import editing
from services.sla.domain.calendars import (
    LIBRARY,
    CalendarDefinition,
    PeriodKind,
    Vacation,
    Weekday,
    changed_to,
)
from services.sla.domain.hours import read_hours, read_week
from services.sla.domain.notice_text import days_in
from services.sla.domain.notices import with_notice
from shared.contracts.refusal import Unacceptable
from shared.validation import error_words, in_language

Line = Field("", max_length=200, pattern=r"^[^\x00-\x1f]*$")


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2098, 12, 31)
"""What a calendar can say something about: working time is counted a little further."""


class Action(StrEnum):
    """What is done."""

    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    HOURS = "hours"
    CLOSED = "closed"
    ORDINARY = "ordinary"
    PERIOD = "period"
    DROP_PERIOD = "drop_period"
    WEEK = "week"
    AS_LIBRARY = "as_library"
    NOTICE = "notice"
    PUBLISH = "publish"
    SHIPPED = "shipped"


class CalendarEdit(BaseModel):
    """One change; which fields count depends on `action`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    action: Action
    first: date | None = None
    last: date | None = None
    """Left out: `first` alone."""
    name: str = Line
    name_en: str = Line
    hours: str = Line
    counts_as: Weekday | None = None
    kind: PeriodKind = PeriodKind.VACATION
    week: dict[Weekday, str] = {}
    works_on_holidays: bool = False
    year: int | None = Field(None, ge=FIRST_DAY.year, le=LAST_DAY.year)
    notice: str | dict[str, Any] = ""
    department: str = Field("", max_length=40, pattern=r"^[a-z0-9_-]*$")
    reason: str = Line
    """Said to reporters whose promise moves."""


def apply_edit(
    definition: CalendarDefinition, edit: CalendarEdit, shipped: CalendarDefinition
) -> CalendarDefinition:
    """The next version of the calendar. Raises Unacceptable for what cannot be."""
    try:
        changed = _HOW[edit.action](definition, edit, shipped)
        for year in changed.years.keys() - definition.years.keys():
            in_range(date(year, 1, 1), field="notice")
        return changed_to(changed, definition.version + 1)
    except ValueError as error:
        raise cannot_be(error) from None


def cannot_be(error: ValueError) -> Unacceptable:
    """What a check found, in both languages."""
    zh, en = str(error), str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        zh, en = error_words(first, english=False), error_words(first, english=True)
    zh, en = in_language(zh, "zh"), in_language(en, "en")
    return Unacceptable(f"这样填不行：{zh}", f"This cannot be: {en}")


def in_range(day: date, *, field: str) -> None:
    """Raises Unacceptable for a day of which no calendar says anything."""
    if not FIRST_DAY <= day <= LAST_DAY:
        span = f"{FIRST_DAY}", f"{LAST_DAY}"
        zh = "日历从 {} 排到 {}，{} 不在里面。".format(*span, day)
        en = "The calendar goes from {} to {}; {} is not in it.".format(*span, day)
        raise Unacceptable(zh, en, errors={field: f"{zh} | {en}"})


def _anew(edit: CalendarEdit) -> tuple[date, date]:
    """The days that something is said of; what stands there is taken back whatever its date."""
    first, last = _range(edit)
    in_range(first, field="first")
    in_range(last, field="last")
    return first, last


def _range(edit: CalendarEdit) -> tuple[date, date]:
    if edit.first is None:
        raise Unacceptable(
            "请选一天，或一段日子。",
            "Please choose a day, or some days.",
            errors={"first": "missing"},
        )
    return edit.first, edit.last or edit.first


def _named(edit: CalendarEdit) -> str:
    if not edit.name.strip():
        raise Unacceptable("请写上名称。", "Please give it a name.", errors={"name": "missing"})
    return edit.name.strip()


def _of_library(edit: CalendarEdit) -> None:
    if edit.department:
        raise Unacceptable(
            "节假日和调休是全馆的；部门请改自己的上班时间。",
            "Holidays and make-up days are the whole library's; give the department hours instead.",
            errors={"department": "library"},
        )


def _holiday(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    _of_library(edit)
    return editing.add_holiday(old, *_anew(edit), name=_named(edit))


def _make_up(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    _of_library(edit)
    first, last = _anew(edit)
    if last != first or edit.counts_as is None:
        raise Unacceptable(
            "调休一次改一天，并选它算星期几。",
            "One make-up day at a time, with the weekday it stands for.",
            errors={"counts_as": "missing"},
        )
    return editing.edit_day(old, first, counts_as=edit.counts_as)


def _hours(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    windows = read_hours(edit.hours)
    if not windows:
        raise Unacceptable(
            "请写上班时间，例如 08:30-12:00, 13:30-17:30。",
            "Please give hours, such as 08:30-12:00, 13:30-17:30.",
            errors={"hours": "missing"},
        )
    return editing.edit_days(old, *_anew(edit), hours=windows, department=edit.department)


def _closed(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    return editing.edit_days(old, *_anew(edit), hours=(), department=edit.department)


def _ordinary(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    first, last = _range(edit)
    changed = editing.edit_days(old, first, last, department=edit.department)
    return changed if edit.department else editing.without_holiday(changed, first, last)


def _period(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    first, last = _anew(edit)
    if last < first:
        raise Unacceptable(
            "结束不能早于开始。", "It cannot end before it begins.", errors={"last": "order"}
        )
    period = Vacation(
        name=_named(edit),
        name_en=edit.name_en.strip(),
        first=first,
        last=last,
        week=read_week({d.value: text for d, text in edit.week.items()}),
        kind=PeriodKind.EXAM if edit.kind is PeriodKind.EXAM else None,
    )
    return editing.put_period(old, period, department=edit.department)


def _drop_period(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    first, _last = _range(edit)
    return editing.drop_period(old, edit.name, first, department=edit.department)


def _week(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    week = read_week({d.value: text for d, text in edit.week.items()})
    if not week:
        raise Unacceptable(
            "一周里至少要有一天上班。",
            "There must be a day of work in a week.",
            errors={"mon": "missing"},
        )
    return editing.set_week(
        old, week, department=edit.department, works_on_holidays=edit.works_on_holidays
    )


def _as_library(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    return editing.same_as_library(old, edit.department or LIBRARY)


def _notice(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    body: object = edit.notice
    try:
        if isinstance(body, str):
            body = _read_notice(body)
        if isinstance(body, list):
            body = {"days": body}
        if not isinstance(body, dict):
            raise ValueError("里面没有放假的日子 | no days off are in it")
        return with_notice(old, body)
    except ValueError as error:
        errors = getattr(error, "errors", None)
        first = errors(include_url=False)[0] if errors else None
        where = ".".join(map(str, first["loc"])) if first else str(error)
        raise Unacceptable(
            f"这份放假通知读不懂（{in_language(where, 'zh')}）。请粘贴通知原文，或者 "
            '{"days": [{"name": "国庆节", "date": "2027-10-01", "isOffDay": true}]}。',
            f"This notice cannot be read ({in_language(where, 'en')}). Paste its Chinese text, or "
            '{"days": [{"name": "国庆节", "date": "2027-10-01", "isOffDay": true}]}.',
            errors={"notice": "form"},
        ) from None


def _read_notice(text: str) -> object:
    """What was pasted: JSON, or the notice in prose; None for neither. Raises ValueError."""
    text = text.removeprefix("\ufeff").strip()
    try:
        found: object = json.loads(text)
    except json.JSONDecodeError as error:
        if text.startswith(("{", "[")):
            at = f"{error.lineno}:{error.colno}"
            raise ValueError(f"从 {at} 起不是 JSON | it is no JSON from {at} on") from None
        return days_in(text)
    except RecursionError:
        raise ValueError("括号套得太深 | it is nested too deeply") from None
    return found


def _publish(old: CalendarDefinition, edit: CalendarEdit, _: object) -> CalendarDefinition:
    if edit.year is None:
        raise Unacceptable("请选年份。", "Please choose a year.", errors={"year": "missing"})
    return editing.publish(old, edit.year)


def _shipped(
    old: CalendarDefinition, _: CalendarEdit, shipped: CalendarDefinition
) -> CalendarDefinition:
    return editing.adopt_years(old, shipped)


_HOW: dict[
    Action,
    Callable[[CalendarDefinition, CalendarEdit, CalendarDefinition], CalendarDefinition],
] = {
    Action.HOLIDAY: _holiday,
    Action.MAKE_UP: _make_up,
    Action.HOURS: _hours,
    Action.CLOSED: _closed,
    Action.ORDINARY: _ordinary,
    Action.PERIOD: _period,
    Action.DROP_PERIOD: _drop_period,
    Action.WEEK: _week,
    Action.AS_LIBRARY: _as_library,
    Action.NOTICE: _notice,
    Action.PUBLISH: _publish,
    Action.SHIPPED: _shipped,
}
