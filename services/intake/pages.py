"""The two pages of intake: say it, and at the counter."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.intake import store
from services.intake.api.feedback import begun, who_may_enter
from services.intake.deps import deps_of
from shared.web.auth import service_of, to_sign_in

router = APIRouter(include_in_schema=False)
_LONGEST_PLACE = 200


@router.get("/")
async def say(request: Request) -> Response:
    """Say it; ``?place=`` from a QR code on the wall fills in where."""
    place = " ".join(request.query_params.get("place", "").split())[:_LONGEST_PLACE]
    deps = deps_of(request)
    return deps.pages.render(
        request, "say.html", form={}, errors={}, place=place, incidents=deps.open_incidents
    )


@router.get("/desk/new")
async def counter(request: Request) -> Response:
    """At the counter, with somebody waiting."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = who_may_enter(request)
    async with service_of(request, "intake").transaction() as tx:
        desks = await store.recent_desks(tx)
    return deps_of(request).pages.render(
        request,
        "desk_new.html",
        user=person.user,
        form=begun(request, request.query_params),
        errors={},
        desks=desks,
        incidents=deps_of(request).open_incidents,
    )
