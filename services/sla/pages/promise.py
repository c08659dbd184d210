"""``/sla/cases/{feedback_id}/promises/{CLOCK}``: why a date is what it is, day by day."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.sla.api.promises import Cycle, explained
from services.sla.pages.common import reader, render
from shared.web.auth import to_sign_in

router = APIRouter(include_in_schema=False)


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
