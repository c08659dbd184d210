"""``/sla/calendar``: a year at a glance, and what an administrator changes in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import groupby

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.sla import seeds
from services.sla.api.rules import known_unit
from services.sla.api.trials import begin_calendar
from services.sla.domain.calendar_edits import CalendarEdit
from services.sla.domain.calendars import WEEKDAYS, CalendarDefinition, UnitHours, Week
from services.sla.domain.editing import newer_years
from services.sla.domain.hours import hours_text
from services.sla.domain.year_view import DayView, day_view, year_view
from services.sla.pages.common import (
    locale_of,
    may_edit,
    reader,
    render,
    up_to_date,
)
from services.sla.wording import translate
from services.sla.wording.pages import field_name
from shared.contracts.refusal import Refusal
from shared.moments import LOCAL
from shared.web.auth import Staff, require_role, runtime_of, service_of, to_sign_in
from shared.web.bodies import checked, read_body
from shared.web.permissions import Permission
from shared.web.problems import field_errors

router = APIRouter(include_in_schema=False)

_YEARS = range(2000, 2100)


@router.get("/sla/calendar")
async def calendar_page(request: Request) -> Response:
    """The year, and the hours of what is selected."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = reader(request)
    known_unit(request, request.query_params.get("department"))
    return await _page(request, person)


@router.post("/sla/calendar")
async def change_calendar(request: Request) -> Response:
    """On to what a change would move; or this page with what is wrong."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.EDIT_PROMISES)
    body = await read_body(request, may_be_empty=True, multipart=True)
    typed = {name: value for name, value in body.form.items() if "." not in name}
    fields = {name: value for name, value in body.fields.items() if value not in ("", [])}
    try:
        edit = checked(CalendarEdit, fields)
        known_unit(request, edit.department)
        async with service_of(request, "sla").transaction() as tx:
            trial = await begin_calendar(tx, edit, person.username)
    except Refusal as refusal:
        words = refusal.detail(locale_of(request))
        return await _page(request, person, status=refusal.status, form=body.form, wrong=words)
    except RequestValidationError as error:
        errors = field_errors(request, error.errors())
        locale = locale_of(request)
        words = translate("；", locale).join(
            f"{field_name(name, locale)}{translate('：', locale)}{text}"
            for name, text in errors.items()
        )
        return await _page(request, person, status=422, form=body.form | typed, wrong=words)
    return RedirectResponse(f"/sla/trials/{trial}", 303)


async def _page(
    request: Request,
    person: Staff,
    *,
    status: int = 200,
    form: Mapping[str, str] | None = None,
    wrong: str = "",
) -> Response:
    deps = await up_to_date(request)
    definition = deps.calendars.definition
    today = runtime_of(request).clock.now().astimezone(LOCAL).date()
    asked: Mapping[str, str] = request.query_params if form is None else form
    department = asked.get("department", "")
    if department not in deps.directory.departments:
        department = ""
    first = _day(asked.get("first"))
    last = _day(asked.get("last")) or first
    shown = request.query_params.get("year", "")
    year = int(shown) if shown.isdigit() and len(shown) == 4 else (first or today).year
    year = year if year in _YEARS else today.year
    days = list(year_view(definition, year, department))
    unit = definition.departments.get(department)
    week = (unit.week if unit and unit.week else None) or definition.week
    own = unit.vacations if unit is not None and unit.vacations is not None else None
    return render(
        request,
        "calendar.html",
        person,
        status=status,
        may_edit=may_edit(person),
        year=year,
        today=today,
        months=[(month, _weeks(found)) for month, found in _by_month(days)],
        settled=not definition.is_provisional(date(year, 1, 1)),
        definition=definition,
        announced=definition.years.get(year),
        department=department,
        unit=unit,
        own_departments=[d for d in definition.departments if _differs(definition.departments[d])],
        week=_texts(week),
        periods=definition.vacations if own is None else own,
        own_periods=own is not None,
        entries=[d for d in days if d.kind == "entry"],
        newer=newer_years(definition, seeds.load_calendar()),
        selected=_selected(definition, first, last, department),
        first=first,
        last=last,
        form=form or {},
        wrong=wrong,
        weekdays=[day.value for day in WEEKDAYS],
        hours_text=hours_text,
    )


def _by_month(days: list[DayView]) -> Iterator[tuple[int, list[DayView]]]:
    for month, found in groupby(days, key=lambda view: view.day.month):
        yield month, list(found)


def _weeks(days: list[DayView]) -> list[list[DayView | None]]:
    """Six rows of seven, Monday first; None before the first and after the last: months beside each
    other are of one height, and so are their rows."""
    cells: list[DayView | None] = [None] * days[0].day.weekday() + [*days]
    cells += [None] * (6 * 7 - len(cells))
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


def _selected(
    definition: CalendarDefinition, first: date | None, last: date | None, department: str
) -> list[DayView]:
    """At most a fortnight of the days that are chosen."""
    if first is None or last is None or last < first:
        return []
    numbers = range(first.toordinal(), min(last.toordinal(), first.toordinal() + 13) + 1)
    return [day_view(definition, date.fromordinal(n), department) for n in numbers]


def _texts(week: Week) -> dict[str, str]:
    return {day.value: hours_text(week.get(day, ())) for day in WEEKDAYS}


def _differs(unit: UnitHours) -> bool:
    return bool(unit.week or unit.vacations or unit.days or unit.works_on_holidays)


def _day(text: str | None) -> date | None:
    try:
        return datetime.fromisoformat(text or "").date()
    except ValueError:
        return None
