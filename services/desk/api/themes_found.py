"""Themes that were found by meaning: a person keeps one under a name of their own, or none."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import Body, Line, clean
from services.desk.api.cases import view_context
from services.desk.api.incidents import public
from services.desk.api.themes import About, editor, reader
from services.desk.deps import deps_of
from services.desk.store import themes, themes_found
from services.desk.store.themes import Theme
from services.desk.store.themes_found import Suggestion
from services.desk.wording.matters import matter_name
from shared.contracts.refusal import Conflict, NotFound, Unacceptable
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.moments import FURTHEST_AHEAD, here, local
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(prefix="/api/theme-suggestions", tags=["themes"])

Person = Annotated[Staff, Depends(signed_in)]
RECURS_FROM = 3
"""Weeks in which it came up: from here on something should be done about it."""


class Kept(Body):
    title: Line
    about: About = ""
    what: Annotated[str, Field(max_length=1_000), AfterValidator(clean)] = ""
    """What is done about it; looked at again after four weeks."""
    responsible: Annotated[str, Field(max_length=200), AfterValidator(clean)] = ""
    on: date | None = None


class Nothing(Body):
    """Nothing is asked."""


@router.get("", summary="Themes that were found")
async def list_suggestions(request: Request, person: Person) -> JSONResponse:
    """``{items: [{suggestion_id, name, cases, sentences, weeks, places, outcomes, recurs}]}``, the
    largest first; `weeks` is ``[[monday, n]]``, the others ``[[what, n]]``."""
    reader(person)
    locale = view_context(request, person).locale
    async with service_of(request, "desk").transaction() as tx:
        body = await list_body(tx, locale)
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def list_body(tx: Transaction, locale: str) -> dict[str, Any]:
    """The answer of ``GET /api/theme-suggestions``; pages show the same."""
    found = await themes_found.suggestions(tx, "suggested")
    return {"items": [_shown(one, locale) for one in found]}


@router.post("/{suggestion_id}/keep", summary="It is a theme", openapi_extra=described(Kept))
async def keep(request: Request, person: Person, suggestion_id: str) -> Response:
    """201 ``{theme_id}``: a theme with its cases, and what is done about it, if that is said."""
    by = editor(person)
    given = checked(Kept, (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        found = await _waiting(tx, suggestion_id)
        one = Theme(
            theme_id=new_id(),
            title=public(tx, given.title),
            about=public(tx, given.about),
            opened_at=tx.now,
            by=person.username,
            origin="found",
            measures=_measures(tx, given),
        )
        await themes.keep(tx, one)
        ids = await themes.known(tx, found.cases)
        await themes.put_in(tx, one.theme_id, ids, origin="found")
        found.status, found.theme_id, found.decided_by = "kept", one.theme_id, person.username
        await themes_found.keep(tx, found)
        listed = await themes.list_theme(tx, one, by=by)
        tx.after_commit(partial(deps_of(tx).directory.apply, listed))
    if wants_html(request):
        return RedirectResponse(f"/desk/themes/{one.theme_id}", 303)
    return JSONResponse({"theme_id": one.theme_id, "cases": len(ids)}, status_code=201)


@router.post("/{suggestion_id}/dismiss", summary="It is no theme", openapi_extra=described(Nothing))
async def dismiss(request: Request, person: Person, suggestion_id: str) -> Response:
    """``{suggestion_id, status}``: offered once more only when it has grown to twice as many."""
    by = editor(person)
    async with service_of(request, "desk").transaction() as tx:
        await themes_found.dismiss(tx, await _waiting(tx, suggestion_id), by=by)
    if wants_html(request):
        return RedirectResponse("/desk/themes", 303)
    return JSONResponse({"suggestion_id": suggestion_id, "status": "dismissed"})


def _measures(tx: Transaction, given: Kept) -> list[dict[str, Any]]:
    if not given.what:
        return []
    today = here(tx.now).date()
    on = given.on or today
    errors = {}
    if not given.responsible:
        errors["responsible"] = "请写谁负责 | who is responsible?"
    if not -3_660 <= (on - today).days <= FURTHEST_AHEAD.days:
        errors["on"] = "过去十年到以后两年 | ten years ago to two years ahead"
    if errors:
        raise Unacceptable("措施没有写全。", "The measure is not complete.", errors=errors)
    said = {"what": public(tx, given.what), "responsible": public(tx, given.responsible)}
    return [said | {"on": on.isoformat()}]


async def _waiting(tx: Transaction, suggestion_id: str) -> Suggestion:
    if not suggestion_id.isprintable() or len(suggestion_id) > 64:
        raise NotFound()
    if (found := await themes_found.suggestion(tx, suggestion_id)) is None:
        raise NotFound()
    if found.status != "suggested":
        raise Conflict("已经有人处理了。", "Somebody has judged it already.", allowed=[])
    return found


def _shown(one: Suggestion, locale: str) -> dict[str, Any]:
    weeks = one.said.get("weeks", [])
    return {
        "suggestion_id": one.suggestion_id,
        "name": matter_name(one.key, locale),
        "made_at": local(one.made_at),
        "cases": len(one.cases),
        "feedback_ids": one.cases,
        "recurs": len(weeks) if len(weeks) >= RECURS_FROM else 0,
        **{name: one.said.get(name, []) for name in ("sentences", "weeks", "places", "outcomes")},
    }
