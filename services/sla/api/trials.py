"""Entry point for staff and programs: other rules are tried first, and published from there."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from services.sla import seeds
from services.sla.api.rules import (
    Administrator,
    PolicyEdit,
    fresh,
    insert,
    known_unit,
    known_values,
    next_policy,
)
from services.sla.deps import deps_of
from services.sla.domain.calendar_edits import CalendarEdit, apply_edit
from services.sla.domain.calendars import CalendarDefinition
from services.sla.domain.hours import hours_text
from services.sla.domain.policy import Policy
from services.sla.domain.policy_check import check_policy
from services.sla.domain.year_view import COMPARED, differing_days
from services.sla.store import CalendarRow, PolicyRow, trials
from services.sla.store.rules import as_document, policy_of, policy_row, stored_parts
from services.sla.store.trials import Trial
from shared.contracts.refusal import Conflict, NotFound, Unacceptable
from shared.messaging.transaction import Transaction
from shared.moments import LOCAL, local
from shared.web.auth import service_of
from shared.web.bodies import body_as, described

router = APIRouter(prefix="/api/sla", tags=["sla"])

TERM = timedelta(days=120)
"""What a policy is tried on where no dates are named: about a term."""
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""Beyond them no receipt lies."""
MOST_DAYS = 60
"""Days whose hours differ that are listed."""


class PolicyTrial(PolicyEdit):
    """A table of promises, and the receipts it is tried on (both days included)."""

    first: date | None = Field(None, ge=EARLIEST, le=LATEST)
    last: date | None = Field(None, ge=EARLIEST, le=LATEST)


@router.post("/calendar/preview", status_code=202, openapi_extra=described(CalendarEdit))
async def preview_calendar(request: Request, person: Administrator) -> dict[str, str]:
    """Which open promises a change of the calendar would move; nothing is changed."""
    edit = await body_as(request, CalendarEdit)
    known_unit(request, edit.department)
    async with service_of(request, "sla").transaction() as tx:
        return {"trial": await begin_calendar(tx, edit, person.username)}


@router.post("/policy/try", status_code=202, openapi_extra=described(PolicyTrial))
async def try_policy(request: Request, person: Administrator) -> dict[str, str]:
    """Which past promises would have been broken under this table; nothing is changed."""
    edit = await body_as(request, PolicyTrial)
    async with service_of(request, "sla").transaction() as tx:
        return {"trial": await begin_policy(tx, edit, person.username)}


@router.get("/trials/{trial_id}")
async def show_trial(request: Request, trial_id: str, _: Administrator) -> dict[str, Any]:
    """How far it is, and what it found so far."""
    async with service_of(request, "sla").engine.connect() as connection:
        await deps_of(request).refresh(connection)
        trial = await trials.fetch(connection, trial_id)
    if trial is None:
        raise NotFound
    return shown(trial, deps_of(request).calendars.definition)


@router.post("/trials/{trial_id}/publish")
async def publish(request: Request, trial_id: str, person: Administrator) -> dict[str, int]:
    """Put it in force; once, and only while nobody has published something else."""
    async with service_of(request, "sla").transaction() as tx:
        return {"version": await publish_trial(tx, trial_id, person.username)}


async def begin_calendar(tx: Transaction, edit: CalendarEdit, by: str) -> str:
    """Ask for the preview of a change; gives the id of its trial. Raises Unacceptable."""
    rules = await fresh(tx)
    old = rules.calendars.definition
    changed = apply_edit(old, edit, seeds.load_calendar())
    about = edit.model_dump(mode="json", exclude_defaults=True)
    return await _begin(tx, "calendar", old.version, as_document(changed), about, by)


async def begin_policy(tx: Transaction, edit: PolicyTrial, by: str) -> str:
    """Ask for a trial on past cases; gives its id. Raises Unacceptable."""
    rules = await fresh(tx)
    body, quiet = stored_parts(next_policy(rules, edit, await known_values(tx.connection, rules)))
    today = tx.now.astimezone(LOCAL).date()
    last = edit.last or today
    first = edit.first or last - TERM
    if last < first:
        raise Unacceptable(
            "结束日期早于开始日期。",
            "The last day is before the first.",
            errors={"last": "结束日期早于开始日期 | the last day is before the first"},
        )
    about = {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "since": _midnight(first),
        "until": _midnight(last + timedelta(days=1)),
        "quiet": quiet,
    }
    return await _begin(tx, "policy", rules.current, body, about, by)


async def publish_trial(tx: Transaction, trial_id: str, by: str) -> int:
    """The version that this trial is from now on. Raises NotFound, Conflict."""
    trial = await trials.lock(tx, trial_id)
    if trial is None:
        raise NotFound
    if trial.published is not None:
        return trial.published
    rules = await fresh(tx)
    calendar = trial.kind == "calendar"
    newest = rules.calendars.definition.version if calendar else rules.current
    if newest != trial.base:
        raise Conflict(
            "这期间已经有了新的一版，请在新版上重新修改。",
            "There is a newer version meanwhile. Please make the change on that one.",
        )
    version = trial.base + 1
    row: CalendarRow | PolicyRow
    made: CalendarDefinition | Policy
    if calendar:
        made = CalendarDefinition.model_validate(trial.body | {"version": version})
        reason = str(trial.about.get("reason", "")).strip() or "calendar"
        row = CalendarRow(
            version=version,
            body=as_document(made),
            at=tx.now,
            by=by,
            reason=reason,
            recounted=False,
        )
    else:
        made = policy_of(trial.body, trial.about.get("quiet"), version=version)
        check_policy(made, await known_values(tx.connection, rules))
        row = policy_row(made, at=tx.now, by=by)
    await insert(tx, row)
    await trials.mark_published(tx, trial_id, version)
    tx.after_commit(partial(rules.adopt, made))
    return version


def shown(trial: Trial, calendar: CalendarDefinition) -> dict[str, Any]:
    """A trial as JSON carries it; of a calendar also the days that differ from `calendar`."""
    body: dict[str, Any] = {
        "trial": trial.trial_id,
        "kind": trial.kind,
        "base": trial.base,
        "about": {k: v for k, v in trial.about.items() if k not in ("since", "until")},
        "at": local(trial.at),
        "by": trial.by,
        "done": trial.done,
        "total": trial.total,
        "finished": trial.finished_at is not None,
        "published": trial.published,
        "counts": trial.counts,
        "cases": trial.found,
    }
    if trial.kind == "calendar" and trial.published is None:
        body |= _days(trial, calendar)
    return body


def _days(trial: Trial, calendar: CalendarDefinition) -> dict[str, Any]:
    """``{days, compared: {first, last}, past}``: which days differ, where that was looked for, and
    whether some of them are over."""
    tried = CalendarDefinition.model_validate(trial.body)
    assert trial.at is not None
    today = trial.at.astimezone(LOCAL).date()
    first = today - timedelta(days=31)
    department = str(trial.about.get("department", ""))
    found = list(differing_days(calendar, tried, department, first=first))
    days = [
        {
            "date": after.day.isoformat(),
            "before": hours_text(before.open),
            "after": hours_text(after.open),
            # Of a holiday that goes: which one.
            "name": after.name or before.name,
        }
        for before, after in found[:MOST_DAYS]
    ]
    last = first + COMPARED - timedelta(days=1)
    return {
        "days": days,
        "compared": {"first": first.isoformat(), "last": last.isoformat()},
        "past": any(after.day < today for _, after in found),
    }


async def _begin(
    tx: Transaction, kind: str, base: int, body: dict[str, Any], about: dict[str, Any], by: str
) -> str:
    trial_id = await trials.add(tx, kind, base, body, about, by)
    tx.after_commit(deps_of(tx).asked.set)
    return trial_id


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), LOCAL).isoformat()
