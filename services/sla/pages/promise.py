"""Why a date is what it is, day by day: for staff by the case, for its reporter by a link."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from services.sla.api.promises import Cycle, explained, explained_to_reader
from services.sla.deps import deps_of
from services.sla.pages.common import reader, render
from shared.web.auth import to_sign_in
from shared.web.pages import wants_html

router = APIRouter(include_in_schema=False)
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@router.get("/sla/cases/{feedback_id}/promises/{clock}")
async def promise_page(
    request: Request, feedback_id: str, clock: str, cycle: Cycle = None
) -> Response:
    """The answer of the API as a page; a plain link leads to it."""
    if (away := to_sign_in(request)) is not None:
        return away
    person = reader(request)
    why = await explained(request, person, feedback_id, clock, cycle)
    return render(request, "promise.html", person, why=why)


@router.get("/sla/why/{token}")
async def why_page(request: Request, token: str) -> Response:
    """For a reporter: tracking's page has the link, which is good for a day or two.

    JSON for programs that follow `why` of ``GET /api/track/{code}``.
    """
    why = await explained_to_reader(request, token)
    if not wants_html(request):
        return JSONResponse(why, headers=PRIVATE)
    response: Response = deps_of(request).pages.render(request, "why.html", why=why)
    response.headers.update(PRIVATE)
    return response
