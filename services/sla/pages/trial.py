"""``/sla/trials/…``: what a change would do, before it is published."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.sla.api.trials import publish_trial, shown
from services.sla.domain.calendars import CalendarDefinition
from services.sla.domain.policy_form import CLOCKS, differences
from services.sla.pages.common import locale_of, render, up_to_date
from services.sla.store import trials
from services.sla.store.rules import policy_of, policy_version
from services.sla.store.trials import Trial
from shared.contracts.refusal import Conflict, NotFound, Unacceptable
from shared.web.auth import Staff, require_role, service_of, to_sign_in
from shared.web.permissions import Permission

router = APIRouter(include_in_schema=False)


@router.get("/sla/trials/{trial_id}")
async def trial_page(request: Request, trial_id: str) -> Response:
    """How far it is, and what it found; the last step is to publish it."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.EDIT_PROMISES)
    return await _page(request, trial_id, person)


@router.post("/sla/trials/{trial_id}")
async def publish_page(request: Request, trial_id: str) -> Response:
    """Put it in force; or this page with why not."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = require_role(request, Permission.EDIT_PROMISES)
    try:
        async with service_of(request, "sla").transaction() as tx:
            version = await publish_trial(tx, trial_id, person.username)
            trial = await trials.lock(tx, trial_id)
    except (Conflict, Unacceptable) as refusal:
        words = refusal.detail(locale_of(request))
        return await _page(request, trial_id, person, status=refusal.status, wrong=words)
    assert trial is not None
    if trial.kind == "policy":
        return RedirectResponse(f"/sla/policy?saved={version}", 303)
    return RedirectResponse(f"/sla/calendar?saved={version}{_where(trial)}", 303)


async def _page(
    request: Request, trial_id: str, person: Staff, *, status: int = 200, wrong: str = ""
) -> Response:
    deps = await up_to_date(request)
    async with service_of(request, "sla").engine.connect() as connection:
        trial = await trials.fetch(connection, trial_id)
        if trial is None:
            raise NotFound
        before = None
        if trial.kind == "policy":
            before = await policy_version(connection, trial.base)
    definition: CalendarDefinition = deps.calendars.definition
    context: dict[str, Any] = {
        "trial": shown(trial, definition),
        "differences": {},
        "clocks": [clock.value for clock in CLOCKS],
    }
    if before is not None:
        context["differences"] = differences(
            before, policy_of(trial.body, trial.about.get("quiet"))
        )
    return render(
        request,
        "trial.html",
        person,
        status=status,
        wrong=wrong,
        where=_where(trial),
        **context,
    )


def _where(trial: Trial) -> str:
    """The year and the department of a change, as the calendar's address has them."""
    about = trial.about
    year = str(about.get("first") or about.get("year") or "")[:4]
    parts = {"year": year, "department": str(about.get("department", ""))}
    return "".join(f"&{name}={value}" for name, value in parts.items() if value)
