"""Incidents in a browser: one fault that many report, explained once and answered once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api.bodies import DraftToAll
from services.desk.api.cases import view_context
from services.desk.api.forms import Given, forms
from services.desk.api.incidents import OFFICE, incident_body, list_body, public, reader
from services.desk.api.preview import incident_look
from services.desk.api.surges import list_body as surges_body
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.domain import Action
from services.desk.pages.many import chosen_cases, job_context
from shared.contracts.refusal import Forbidden, NotFound
from shared.web.auth import Staff, runtime_of, service_of, staff, to_sign_in
from shared.web.bodies import checked, read_body

router = APIRouter(include_in_schema=False)


@router.get("/desk/incidents")
async def all_incidents(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    reader(person)
    service = service_of(request, "desk")
    context = view_context(request, person)
    chosen = await chosen_cases(service, request, context)
    async with service.transaction() as tx:
        body = await list_body(tx)
        suggested = await surges_body(tx, context)
    return deps_of(request).pages.render(
        request,
        "incidents.html",
        user=person.user,
        incidents=body["items"],
        surges=suggested["items"],
        chosen=chosen,
        office=bool(viewer_of(person).every_role & OFFICE),
    )


@router.get("/desk/incidents/{incident_id}")
async def one_incident(request: Request, incident_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    reader(person)
    return deps_of(request).pages.render(
        request, "incident.html", user=person.user, **await _shown(request, person, incident_id)
    )


@router.post("/desk/incidents/{incident_id}/preview")
async def preview(request: Request, incident_id: str) -> Response:
    """The answer as reporters will read it on each channel; nothing is sent or kept."""
    person = staff(request)
    if not viewer_of(person).every_role & OFFICE:
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    written = checked(DraftToAll, (await read_body(request)).values())
    context = view_context(request, person)
    shown = await _shown(request, person, incident_id)
    async with service_of(request, "desk").transaction() as tx:
        on_page = public(tx, written.read_in(context.locale))
    look = incident_look(
        written,
        on_page,
        context,
        runtime_of(request).settings.url,
        english=shown["incident"]["read_english"],
    )
    alone = request.headers.get("hx-request") == "true"
    start = {"answer.text": written.text, "answer.rule": written.rule}
    start["answer.english"] = written.english
    if written.outcome:
        start["answer.outcome"] = written.outcome.value
    return deps_of(request).pages.render(
        request,
        "_preview.html" if alone else "incident.html",
        user=person.user,
        **shown | {"look": look, "given": Given(start, {}, frozenset())},
    )


async def _shown(request: Request, person: Staff, incident_id: str) -> dict[str, Any]:
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        body = await incident_body(tx, incident_id, context)
    job = request.query_params.get("job") or body["job"]
    try:
        shown = await job_context(request, person, job) if job else {}
    except NotFound:
        shown = {}
    return {
        "incident": body | {"by_name": context.person(body["by"])},
        "office": bool(viewer_of(person).every_role & OFFICE),
        "fields": forms(context.locale)[Action.SUBMIT],
        "given": Given({}, {}, frozenset()),
        "back": f"/desk/incidents/{incident_id}",
        **shown,
    }
