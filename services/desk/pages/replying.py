"""Writing a reply in a browser: what it will look like."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api.preview import preview_of
from services.desk.deps import deps_of
from services.desk.pages.work import case_page
from shared.web.auth import staff

router = APIRouter(include_in_schema=False)


@router.post("/desk/cases/{feedback_id}/preview")
async def preview(request: Request, feedback_id: str) -> Response:
    """What the reporter will see; alone where a page loads it, else with what was written."""
    person = staff(request)
    look = await preview_of(request, person, feedback_id)
    if request.headers.get("hx-request") == "true":
        return deps_of(request).pages.render(request, "_preview.html", user=person.user, look=look)
    draft = look.draft
    typed = {"text": draft.text, "outcome": draft.outcome, "rule": draft.rule}
    return await case_page(request, person, feedback_id, typed=typed, look=look)
