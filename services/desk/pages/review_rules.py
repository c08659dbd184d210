"""Which replies are read first, in a browser."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.desk.api.cases import view_context
from services.desk.api.review_rules import EDITORS, readers_only, rules_body
from services.desk.deps import deps_of
from shared.web.auth import service_of, staff, to_sign_in

router = APIRouter(include_in_schema=False)


@router.get("/desk/review-rules")
async def review_rules(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    readers_only(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        body = await rules_body(tx, context)
    return deps_of(request).pages.render(
        request,
        "review_rules.html",
        user=person.user,
        rules=body,
        may=bool(context.viewer.every_role & EDITORS),
        done=request.query_params.get("done", ""),
    )
