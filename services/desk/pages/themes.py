"""Themes in a browser: what comes up again and again, its cases, and what was done about it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.cases import view_context
from services.desk.api.themes import EDITORS, list_body, reader, theme_body
from services.desk.api.themes_found import list_body as found_body
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.pages.many import chosen_cases
from services.desk.store import themes
from shared.web.auth import service_of, staff, to_sign_in

router = APIRouter(include_in_schema=False)


@router.get("/desk/themes")
async def all_themes(request: Request) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    reader(person)
    service = service_of(request, "desk")
    context = view_context(request, person)
    chosen = await chosen_cases(service, request, context)
    async with service.transaction() as tx:
        body = await list_body(tx)
        found = await found_body(tx, context.locale)
    return deps_of(request).pages.render(
        request,
        "themes.html",
        user=person.user,
        themes=body["items"],
        found=found["items"],
        chosen=chosen,
        edits=bool(viewer_of(person).every_role & EDITORS),
    )


@router.get("/desk/themes/{theme_id}")
async def one_theme(request: Request, theme_id: str) -> Response:
    if (away := to_sign_in(request)) is not None:
        return away
    person = staff(request)
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        body = await theme_body(tx, theme_id, context)
        others = [one for one, _ in await themes.themes(tx) if one.theme_id != theme_id]
    if body["merged_into"]:
        return RedirectResponse(f"/desk/themes/{body['merged_into']}", 303)
    return deps_of(request).pages.render(
        request,
        "theme.html",
        user=person.user,
        theme=body,
        others=others,
        edits=bool(viewer_of(person).every_role & EDITORS),
        unknown=request.query_params.get("unknown", "")[:4],
    )
