"""``POST /api/feedback/similar``: what is known already, while somebody still writes."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.intake.api.answers import REFUSALS, refused, turn_away
from services.intake.deps import deps_of
from services.intake.domain.alike import MOST, alike
from shared.moments import LOCAL
from shared.web.bodies import read_body
from shared.web.limits import caller
from shared.web.pages import wants_html

ENOUGH = 2000
"""Characters by which it is known what a comment is about."""
NO_STORE = {"Cache-Control": "no-store"}


async def similar(request: Request) -> Response:
    """``{items: [{incident, title, text, opened_at, answer, answered_at}]}``: open incidents in
    the library's words, and what it has answered those who reported them. By words, and by
    meaning where a model answers at once.

    The words are compared, and kept nowhere: a body, because an address would be logged.
    """
    deps = deps_of(request)
    try:
        turn_away(deps.asking.take(caller(request)))
        fields = (await read_body(request)).values()
    except REFUSALS as error:
        return refused(request, error)
    words = " ".join(str(fields.get(name) or "")[:ENOUGH] for name in ("text", "place"))
    known = deps.open_incidents
    found = alike(words, known)
    if known and len(found) < MOST:
        meant = await deps.meaning.find(words.strip(), known)
        found = [*found, *(one for one in meant if one not in found)][:MOST]
    if wants_html(request):
        choose = "choose" in request.query_params
        return deps.pages.render(
            request, "alike.html", headers=NO_STORE, incidents=found, choose=choose
        )
    items: list[dict[str, Any]] = [
        {
            "incident": one.incident_id,
            "title": one.title,
            "text": one.text,
            "opened_at": one.opened_at.astimezone(LOCAL).isoformat(),
            "answer": one.answer,
            "answered_at": one.answered_at and one.answered_at.astimezone(LOCAL).isoformat(),
        }
        for one in found
    ]
    return JSONResponse({"items": items}, headers=NO_STORE)
