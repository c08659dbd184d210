"""Door for staff and programs: what is promised, in which hours, and how both are edited."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import IntegrityError

from services.sla import store
from services.sla.domain.book import LIBRARY, Calendars, Weekday
from services.sla.domain.calendar import OutsideCalendar
from services.sla.domain.editing import edit_day
from services.sla.domain.policy import Policy, due_times
from services.sla.store import CalendarRow, PolicyRow, Rulebook
from services.sla.store.rules import as_document
from shared.contracts.refusal import Conflict, Forbidden, Unacceptable
from shared.contracts.vocabulary import CaseType, Priority, Role
from shared.messaging.transaction import Transaction
from shared.web.auth import Staff, house_of, service_of, staff
from shared.web.bodies import body_as, described

router = APIRouter(prefix="/api/sla", tags=["sla"])

DAYS = 400
"""The longest stretch of the calendar one answer shows."""


def administrator(person: Annotated[Staff, Depends(staff)]) -> Staff:
    """The signed-in administrator; 403 for everybody else."""
    if person.role is not Role.ADMIN:
        raise Forbidden("只有系统管理员可以修改。", "Only an administrator may change this.")
    return person


Signed = Annotated[Staff, Depends(staff)]
Administrator = Annotated[Staff, Depends(administrator)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class DayEdit(_Body):
    """One day of the calendar: its `open` hours (none: closed), or the weekday it stands for.

    With neither, what was entered for the day before is taken back.
    """

    date: date
    open: list[tuple[time, time]] | None = Field(None, max_length=8)
    counts_as: Weekday | None = None
    department: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,40}$")
    reason: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f]*$")
    """Said to reporters whose promise moves."""


class PolicyEdit(_Body):
    """The whole table of promises; the version is given here."""

    rows: dict[str, Any]
    defaults: dict[str, Any]
    reopened_percent: int = 50


@router.get("/policy")
async def show_policy(request: Request, _: Signed) -> dict[str, Any]:
    """What is promised to whoever writes now."""
    return as_document(_rules(request).policy)


@router.post("/policy", openapi_extra=described(PolicyEdit))
async def edit_policy(request: Request, person: Administrator) -> dict[str, Any]:
    """The next version of the promises, for cases that begin from now on."""
    edit = await body_as(request, PolicyEdit)
    async with service_of(request, "sla").transaction() as tx:
        rules = await _fresh(tx)
        try:
            policy = Policy(version=rules.current + 1, **edit.model_dump())
        except ValidationError as error:
            raise _cannot_be(error) from None
        row = PolicyRow(
            version=policy.version, body=as_document(policy), at=tx.now, by=person.username
        )
        await _insert(tx, row)
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
    calendars = _rules(request).calendars
    first = first or house_of(request).clock.now().astimezone(calendars.zone).date()
    last = last or first + timedelta(days=min(29, (date.max - first).days))
    if not timedelta() <= last - first < timedelta(days=DAYS):
        raise Unacceptable(
            f"请给出先后正确、不超过 {DAYS} 天的日期。",
            f"Please give dates in order, at most {DAYS} days apart.",
        )
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "version": calendars.book.version,
        "zone": calendars.book.zone,
        "days": [_day(calendars, day, department) for day in days],
    }


@router.post("/calendar", openapi_extra=described(DayEdit))
async def edit_calendar(request: Request, person: Administrator) -> dict[str, Any]:
    """The next version of the calendar; open deadlines are counted anew soon after."""
    edit = await body_as(request, DayEdit)
    if edit.open is not None and edit.counts_as is not None:
        raise Unacceptable(
            "“open” 和 “counts_as” 只能填一个。", "Give either open or counts_as, not both."
        )
    async with service_of(request, "sla").transaction() as tx:
        rules = await _fresh(tx)
        try:
            book = edit_day(
                rules.calendars.book,
                edit.date,
                hours=None if edit.open is None else tuple(edit.open),
                counts_as=edit.counts_as,
                department=edit.department or LIBRARY,
            )
        except ValueError as error:
            raise _cannot_be(error) from None
        row = CalendarRow(
            version=book.version,
            body=as_document(book),
            at=tx.now,
            by=person.username,
            reason=edit.reason.strip() or "calendar",
            recounted=False,
        )
        await _insert(tx, row)
        tx.after_commit(partial(rules.adopt, book))
    return {"version": book.version} | _day(Calendars(book), edit.date, edit.department or "")


@router.get("/due")
async def show_due(
    request: Request,
    _: Signed,
    priority: Priority,
    at: datetime,
    type: CaseType = CaseType.OTHER,
    department: str = LIBRARY,
) -> dict[str, str]:
    """What would be promised at that moment, per clock."""
    rules = _rules(request)
    zone = rules.calendars.zone
    at = at if at.tzinfo else at.replace(tzinfo=zone)
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
    return {clock.value: moment.astimezone(zone).isoformat() for clock, moment in due.items()}


def _day(calendars: Calendars, day: date, department: str) -> dict[str, Any]:
    book = calendars.book
    holiday = book.holiday_on(day)
    return {
        "date": day.isoformat(),
        "open": [
            [f"{opens:%H:%M}", f"{closes:%H:%M}"]
            for opens, closes in book.hours_on(day, department)
        ],
        "holiday": None if holiday is None else holiday.name,
        "provisional": book.is_provisional(day),
    }


def _rules(request: Request) -> Rulebook:
    rules: Rulebook = service_of(request, "sla").tools
    return rules


async def _fresh(tx: Transaction) -> Rulebook:
    """The rules as they are stored now; the shipped ones are stored first where none are."""
    rules: Rulebook = tx.tools
    await store.seed(tx.connection, tx.now)
    await rules.refresh(tx.connection)
    return rules


async def _insert(tx: Transaction, row: PolicyRow | CalendarRow) -> None:
    tx.session.add(row)
    try:
        await tx.flush()
    except IntegrityError:
        raise Conflict(
            "刚刚有人也在修改，请刷新后再试。",
            "Somebody else changed this just now. Please reload and try again.",
        ) from None


def _cannot_be(error: ValueError) -> Unacceptable:
    details = getattr(error, "errors", None)
    words = details()[0]["msg"].removeprefix("Value error, ") if details else str(error)
    return Unacceptable(f"这样填不行：{words}", f"This cannot be: {words}")
