"""Entry point for staff and programs: what is promised, in which hours, and how both are edited."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.sla import seeds
from services.sla.deps import Deps, deps_of
from services.sla.domain.calendar_edits import cannot_be, in_range
from services.sla.domain.calendars import LIBRARY, Calendars, TimeOfDay, Weekday
from services.sla.domain.editing import edit_day
from services.sla.domain.policy import Policy, due_times
from services.sla.domain.policy_check import Known, check_policy, unreadable
from services.sla.domain.working_time import OutsideCalendar
from services.sla.store import CalendarRow, PolicyRow, Rulebook
from services.sla.store.cases import groups_seen
from services.sla.store.rules import as_document, policy_row
from shared.contracts.refusal import Conflict, Unacceptable
from shared.contracts.vocabulary import CaseType, Priority
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL, here
from shared.web import names
from shared.web.auth import Staff, runtime_of, service_of, signed_in, with_role
from shared.web.bodies import body_as, described
from shared.web.permissions import Permission

router = APIRouter(prefix="/api/sla", tags=["sla"])

DAYS = 400
"""The longest stretch of the calendar one answer shows."""


Signed = Annotated[Staff, Depends(signed_in)]
Moment = Annotated[
    datetime,
    # A plus sign that nobody escaped arrives as a blank.
    BeforeValidator(lambda at: at.replace(" ", "+") if isinstance(at, str) and "T" in at else at),
]
Administrator = Annotated[Staff, Depends(with_role(Permission.EDIT_PROMISES))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class DayEdit(_Body):
    """One day of the calendar: its `open` hours (none: closed), or the weekday it stands for.

    With neither, what was entered for the day before is taken back.
    """

    date: date
    open: list[tuple[TimeOfDay, TimeOfDay]] | None = Field(None, max_length=8)
    counts_as: Weekday | None = None
    department: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,40}$")
    reason: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f]*$")
    """Said to reporters whose promise moves."""


class PolicyEdit(_Body):
    """The whole table of promises; the version is given here."""

    rows: dict[str, Any]
    defaults: dict[str, Any]
    reopened_percent: int = 50
    quiet: dict[str, Any] | None = None
    """Hours in which nobody is told that work is late; None: those in force."""


@router.get("/policy")
async def show_policy(request: Request, _: Signed) -> dict[str, Any]:
    """What is promised to whoever writes now."""
    return as_document(deps_of(request).policy)


@router.post("/policy", openapi_extra=described(PolicyEdit))
async def edit_policy(request: Request, person: Administrator) -> dict[str, Any]:
    """The next version of the promises, for cases that begin from now on."""
    edit = await body_as(request, PolicyEdit)
    async with service_of(request, "sla").transaction() as tx:
        rules = await fresh(tx)
        policy = next_policy(rules, edit, await known_values(tx.connection, rules))
        await insert(tx, policy_row(policy, at=tx.now, by=person.username))
        tx.after_commit(partial(rules.adopt, policy))
    return as_document(policy)


@router.get("/calendar")
async def show_calendar(
    request: Request,
    _: Signed,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
    department: str = LIBRARY,
) -> dict[str, Any]:
    """The working hours of each day; 30 days from today where none are named."""
    known_unit(request, department)
    calendars = deps_of(request).calendars
    first = first or runtime_of(request).clock.now().astimezone(LOCAL).date()
    last = last or first + timedelta(days=min(29, (date.max - first).days))
    if not timedelta() <= last - first < timedelta(days=DAYS):
        raise Unacceptable(
            f"请给出先后正确、不超过 {DAYS} 天的日期。",
            f"Please give dates in order, at most {DAYS} days apart.",
        )
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "version": calendars.definition.version,
        "zone": LOCAL.key,
        "days": [_day(calendars, day, department) for day in days],
    }


@router.post("/calendar", openapi_extra=described(DayEdit))
async def edit_calendar(request: Request, person: Administrator) -> dict[str, Any]:
    """The next version of the calendar; open deadlines are counted anew soon after."""
    edit = await body_as(request, DayEdit)
    known_unit(request, edit.department)
    if edit.open is not None and edit.counts_as is not None:
        raise Unacceptable(
            "“open” 和 “counts_as” 只能填一个。", "Give either open or counts_as, not both."
        )
    if edit.open is not None or edit.counts_as is not None:
        in_range(edit.date, field="date")
    async with service_of(request, "sla").transaction() as tx:
        rules = await fresh(tx)
        try:
            definition = edit_day(
                rules.calendars.definition,
                edit.date,
                hours=None if edit.open is None else tuple(edit.open),
                counts_as=edit.counts_as,
                department=edit.department or LIBRARY,
            )
        except ValueError as error:
            raise cannot_be(error) from None
        row = CalendarRow(
            version=definition.version,
            body=as_document(definition),
            at=tx.now,
            by=person.username,
            reason=edit.reason.strip() or "calendar",
            recounted=False,
        )
        await insert(tx, row)
        tx.after_commit(partial(rules.adopt, definition))
    return {"version": definition.version} | _day(
        Calendars(definition), edit.date, edit.department or ""
    )


@router.get("/due")
async def show_due(
    request: Request,
    _: Signed,
    priority: Priority,
    at: Moment,
    type: CaseType = CaseType.OTHER,
    department: str = LIBRARY,
) -> dict[str, str]:
    """What would be promised at that moment, per clock."""
    known_unit(request, department)
    rules = deps_of(request)
    at = at if at.tzinfo else at.replace(tzinfo=LOCAL)
    try:
        due = due_times(
            rules.policy,
            rules.calendars,
            priority=priority,
            type=type,
            at=at,
            department=department,
        )
    except (OutsideCalendar, OverflowError):
        raise Unacceptable(
            "这个时间不在日历范围内。", "No calendar reaches that time.", errors={"at": "range"}
        ) from None
    return {clock.value: here(moment).isoformat() for clock, moment in due.items()}


def _day(calendars: Calendars, day: date, department: str) -> dict[str, Any]:
    definition = calendars.definition
    holiday = definition.holiday_on(day)
    return {
        "date": day.isoformat(),
        "open": [
            [f"{opens:%H:%M}", f"{closes:%H:%M}"]
            for opens, closes in definition.hours_on(day, department)
        ],
        "holiday": None if holiday is None else holiday.name,
        "provisional": definition.is_provisional(day),
    }


def known_unit(request: Request, department: str | None) -> None:
    """Raises Unacceptable for a code that no department has, nor had when hours were given it."""
    had = deps_of(request).calendars.definition.departments
    runtime_of(request).directory.check_department(department, *had)


async def known_values(connection: AsyncConnection, rules: Deps) -> Known:
    """What rows of the policy may name: what the directory lists, groups of readers that are usual,
    of whom somebody wrote lately, or whom the policy in force names."""
    listed = rules.directory
    had = rules.calendars.definition.departments
    departments = {*listed.departments, *listed.closed_departments, *had}
    named = {group for row in rules.policy.rows.values() if row.when for group in row.when.group}
    return {
        "department": departments if listed.departments else (),
        "category": {*listed.categories, *listed.closed_categories},
        "group": {*names.GROUPS, *await groups_seen(connection), *named},
    }


def next_policy(rules: Rulebook, edit: PolicyEdit, known: Known) -> Policy:
    """The version that follows the one in force. Raises Unacceptable."""
    body = edit.model_dump(include=set(PolicyEdit.model_fields))
    body["quiet"] = rules.policy.quiet if edit.quiet is None else edit.quiet
    try:
        policy = Policy(version=rules.current + 1, **body)
    except ValidationError as error:
        raise unreadable(error) from None
    check_policy(policy, known)
    return policy


async def fresh(tx: Transaction) -> Deps:
    """The rules as they are stored now; the shipped ones are stored first where none are."""
    rules = deps_of(tx)
    await seeds.seed(tx.connection, tx.now)
    await rules.refresh(tx.connection)
    return rules


async def insert(tx: Transaction, row: PolicyRow | CalendarRow) -> None:
    tx.session.add(row)
    try:
        await tx.flush()
    except IntegrityError:
        raise Conflict(
            "刚刚有人也在修改，请刷新后再试。",
            "Somebody else changed this just now. Please reload and try again.",
        ) from None
