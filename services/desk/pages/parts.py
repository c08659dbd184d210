"""Parts of the page of a case that are loaded into it: near-equal cases, the record, hints.

Each is a page of its own as well, for whoever has no script.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.answered import answered_items
from services.desk.api.bodies import Taken
from services.desk.api.bulk import bulk_actions
from services.desk.api.cases import view_context
from services.desk.api.drafts import looked_at, writable
from services.desk.api.record import record_body
from services.desk.api.similar import similar_items
from services.desk.deps import deps_of
from services.desk.domain import SEE_ALL
from services.desk.domain.transitions import ACTIVE
from services.desk.pages.many import seen_cases
from services.desk.store import drafts
from services.desk.wording.labels import PARTS, part_name
from shared.contracts.refusal import Forbidden, NotFound
from shared.contracts.vocabulary import Role, State
from shared.web.auth import Staff, service_of, staff, to_sign_in
from shared.web.bodies import checked, read_body

router = APIRouter(include_in_schema=False)


@router.get("/desk/cases/{feedback_id}/near")
async def near(request: Request, feedback_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    context, service = view_context(request, person), service_of(request, "desk")
    items = await similar_items(service, feedback_id, context)
    found = await seen_cases(service, [feedback_id], context)
    if not found:
        raise NotFound()
    return _part(
        request,
        person,
        feedback_id,
        "near",
        items=items,
        case=found[0],
        may=bulk_actions(context.viewer),
        merging=State(found[0]["state"]) in ACTIVE,
        back=f"/desk/cases/{feedback_id}",
    )


@router.get("/desk/cases/{feedback_id}/answered")
async def answered(request: Request, feedback_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    items = await answered_items(request, person, feedback_id)
    return _part(request, person, feedback_id, "answered", items=items)


@router.post("/desk/cases/{feedback_id}/take")
async def take(request: Request, feedback_id: str) -> Response:
    """A sentence goes to the end of what this person has written so far; back to the page."""
    person = staff(request)
    raw = await read_body(request)
    async with service_of(request, "desk").transaction() as tx:
        await writable(tx, person, feedback_id)
        taken = checked(Taken, raw.values())
        await drafts.append(tx, feedback_id, person.username, taken.text)
    return RedirectResponse(f"/desk/cases/{feedback_id}#write-h", 303)


@router.get("/desk/cases/{feedback_id}/record")
async def record(request: Request, feedback_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    if not person.every_role & SEE_ALL:
        raise Forbidden("您的身份不能看这一页。", "Your role does not see this page.")
    context, service = view_context(request, person), service_of(request, "desk")
    auditor = Role.AUDITOR in person.roles
    body = await record_body(service, feedback_id, context, readings=auditor)
    return _part(
        request,
        person,
        feedback_id,
        "record",
        record=body,
        readings=body.get("items"),
        case={"feedback_id": feedback_id},
    )


@router.post("/desk/cases/{feedback_id}/look")
async def look(request: Request, feedback_id: str) -> Response:
    person = staff(request)
    draft, found = await looked_at(request, person, feedback_id)
    return _part(request, person, feedback_id, "look", found=found, text=draft.text)


def _part(request: Request, person: Staff, feedback_id: str, part: str, **context: Any) -> Response:
    """The part alone where a page loads it, a page with it otherwise."""
    alone = request.headers.get("hx-request") == "true"
    name = f"_{part}.html"
    assert part in PARTS
    heading = part_name(part, view_context(request, person).locale)
    return deps_of(request).pages.render(
        request,
        name if alone else "part.html",
        user=person.user,
        part=name,
        heading=heading,
        feedback_id=feedback_id,
        **context,
    )
