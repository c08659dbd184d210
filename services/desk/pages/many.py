"""Many cases at once in a browser: what is done to those that were chosen, and how far it is."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api import views
from services.desk.api.bulk import MOST, bulk_actions, job_body
from services.desk.api.cases import is_id, view_context
from services.desk.api.forms import Given, forms
from services.desk.api.viewing import viewer_of
from services.desk.api.views import ViewContext
from services.desk.deps import deps_of
from services.desk.domain import Action, sees
from services.desk.domain.promises import TO_THE_REPORTER
from services.desk.store.incidents import newest
from services.desk.store.jobs import UNDO
from services.desk.store.people import staff_of
from services.desk.store.reading import some_cases
from shared.contracts.refusal import Forbidden, NotFound
from shared.contracts.vocabulary import State
from shared.messaging.row_buffer import values_of
from shared.messaging.transaction import Transaction
from shared.service import Service
from shared.web import names
from shared.web.auth import Staff, service_of, staff, to_sign_in

router = APIRouter(include_in_schema=False)


@router.get("/desk/selected")
async def selected(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    wanted = request.query_params.get("action", "")
    if wanted not in Action._value2member_map_:
        raise NotFound()
    if (action := Action(wanted)) not in bulk_actions(viewer_of(person)):
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    context = view_context(request, person)
    service = service_of(request, "desk")
    chosen = await chosen_cases(service, request, context)
    again = any(one["state"] != State.TRIAGE for one in chosen)
    needed = frozenset({"dispatch.reason"} if again else ())
    async with service.transaction() as tx:
        lists, owed = await _lists(tx, action, person, context), _owed(chosen)
    lists["clock"] = [(clock, names.clock_name(clock, context.locale)) for clock in owed]
    given = Given({"explain_breach.clock": next(iter(owed), None)}, lists, needed)
    return deps_of(request).pages.render(
        request,
        "selected.html",
        user=person.user,
        action=action,
        chosen=chosen,
        fields=forms(context.locale)[action],
        given=given,
    )


def _owed(chosen: list[dict[str, Any]]) -> list[str]:
    """The promises that a reason is owed for, the commonest first; all of them where none is."""
    owed = Counter(clock for one in chosen for clock in one["reasons_owed"])
    return [clock for clock, _ in owed.most_common()] or list(TO_THE_REPORTER)


@router.get("/desk/jobs/{job_id}")
async def one_job(request: Request, job_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    shown = await job_context(request, person, job_id)
    undoes = shown["job"]["of"] if shown["job"]["kind"] == UNDO else None
    return deps_of(request).pages.render(
        request, "job.html", user=person.user, of_job=undoes, **shown
    )


async def job_context(request: Request, person: Staff, job_id: str) -> dict[str, Any]:
    """What ``_job.html`` shows of a job; `NotFound` for what is not theirs to see."""
    context, service = view_context(request, person), service_of(request, "desk")
    async with service.transaction() as tx:
        job = await job_body(tx, person, job_id, context.locale)
    rows = await seen_cases(service, [one["feedback_id"] for one in job["failed"]], context)
    return {"job": job, "titles": {row["feedback_id"]: row["title"] for row in rows}}


async def chosen_cases(
    service: Service, request: Request, context: ViewContext
) -> list[dict[str, Any]]:
    """The cases that an address names as ``feedback_ids``, as in the list, the oldest first."""
    ids = request.query_params.getlist("feedback_ids")[:MOST]
    rows = await seen_cases(service, list(dict.fromkeys(ids)), context)
    return sorted(rows, key=lambda row: row["received_at"])


async def seen_cases(
    service: Service, feedback_ids: list[str], context: ViewContext
) -> list[dict[str, Any]]:
    """Of these cases those that this person sees, as in the list."""
    if not (ids := [one for one in feedback_ids if is_id(one)]):
        return []
    async with service.engine.connect() as connection:
        rows = await some_cases(connection, ids)
    return [views.item(values_of(row), context) for row in rows if sees(context.viewer, row)]


async def _lists(
    tx: Transaction, action: Action, person: Staff, context: ViewContext
) -> dict[str, list[tuple[str, str]]]:
    """What is chosen from in the form of this action."""
    listed, english = context.directory, context.locale == "en"
    lists = {
        "department": [(code, pair[english]) for code, pair in listed.departments.items()],
        "category": [(code, pair[english]) for code, pair in listed.categories.items()],
    }
    if action is Action.ASSIGN:
        there = await staff_of(tx, person.department or "")
        lists["colleague"] = [(one.username, one.display or one.username) for one in there]
    if action is Action.JOIN:
        lists["incident"] = [(i.incident_id, i.title) for i in await newest(tx) if i.open]
    return lists
