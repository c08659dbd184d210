"""Themes change their shape: two become one, or some cases become a theme of their own."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import Body, Line
from services.desk.api.bulk import MOST
from services.desk.api.incidents import public
from services.desk.api.themes import (
    MOST_MEASURES,
    About,
    Person,
    done,
    editor,
    found_theme,
    list_theme,
    shown_theme,
    theme_to_change,
)
from services.desk.store import themes
from services.desk.store.themes import MOST_CASES, Theme
from shared.contracts.refusal import Conflict, Unacceptable
from shared.ids import id_as_typed, new_id
from shared.web.auth import service_of
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(prefix="/api/themes", tags=["themes"])


class Merge(Body):
    into: Line
    """The theme that stays."""


class Split(Body):
    title: Line
    about: About = ""
    feedback_ids: list[Line] = Field(min_length=1, max_length=MOST)


@router.post("/{theme_id}/merge", summary="Make it part of another", openapi_extra=described(Merge))
async def merge(request: Request, person: Person, theme_id: str) -> Response:
    """The theme that stays, with the cases and measures of both. Repeated it changes nothing; into
    itself, or into what was merged away, 409."""
    by = editor(person)
    into = checked(Merge, (await read_body(request)).values()).into
    async with service_of(request, "desk").transaction() as tx:
        # Always in this order, so that two who merge crosswise do not wait for each other.
        both = {i: await found_theme(tx, i, lock=True) for i in sorted({theme_id, into})}
        one, home = both[theme_id], both[into]
        if one.merged_into != into:
            if one is home or one.merged_into or home.merged_into:
                raise Conflict(
                    "这两个主题不能合并：其中一个已经并入别的，或者是同一个。",
                    "These two cannot be merged: one is part of another already, or both are one.",
                )
            home.measures = sorted([*home.measures, *one.measures], key=lambda m: m["on"])
            both_back = [*home.taken_back, *one.taken_back]
            home.taken_back = sorted(both_back, key=lambda m: m["at"])[-MOST_MEASURES:]
            await themes.move(tx, one.theme_id, into)
            n = len(await themes.case_ids(tx, into))
            if n > MOST_CASES or len(home.measures) > MOST_MEASURES:
                raise Conflict(
                    f"合起来太多了：一个主题最多 {MOST_CASES} 件、{MOST_MEASURES} 条措施。",
                    f"Together too much: {MOST_CASES} cases and {MOST_MEASURES} measures at most.",
                )
            one.merged_into, one.status, one.measures = into, "closed", []
            one.taken_back = []
            await list_theme(request, tx, one, by)
            await list_theme(request, tx, home, by)
        n = len(await themes.case_ids(tx, into))
    return done(request, home, n)


@router.post(
    "/{theme_id}/split", summary="Make a theme of some cases", openapi_extra=described(Split)
)
async def split(request: Request, person: Person, theme_id: str) -> Response:
    """201 with the new theme: these cases, which leave the old one, and what was done so far."""
    by = editor(person)
    given = checked(Split, (await read_body(request)).with_list("feedback_ids"))
    wanted = {id_as_typed(one) for one in given.feedback_ids}
    async with service_of(request, "desk").transaction() as tx:
        one = await theme_to_change(tx, theme_id)
        ids = [i for i in await themes.case_ids(tx, theme_id) if i in wanted]
        if len(ids) < len(wanted):
            raise Unacceptable(
                "选中的不都在这个主题里了，请刷新后再试。",
                "Not all of these are in this theme any more. Please reload and try again.",
                errors={"feedback_ids": "不在这个主题里 | not in this theme"},
            )
        part = Theme(
            theme_id=new_id(),
            title=public(tx, given.title),
            about=public(tx, given.about),
            opened_at=one.opened_at,
            by=person.username,
            origin=one.origin,
            measures=one.measures,
        )
        await themes.keep(tx, part)
        await themes.move(tx, theme_id, part.theme_id, ids)
        await list_theme(request, tx, one, by)
        await list_theme(request, tx, part, by)
    if wants_html(request):
        return RedirectResponse(f"/desk/themes/{part.theme_id}", 303)
    return JSONResponse(shown_theme(part, len(ids)), status_code=201)
