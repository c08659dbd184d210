"""Themes over HTTP: what comes up again and again, its cases, and what was done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api import views
from services.desk.api.bodies import Body, Line, clean
from services.desk.api.bulk import MOST
from services.desk.api.cases import view_context
from services.desk.api.incidents import READERS, public
from services.desk.api.named import NOT_FOUND, cases_named
from services.desk.api.seen import refuse_stale, seen
from services.desk.api.sent_twice import id_of
from services.desk.api.viewing import viewer_of
from services.desk.store import themes, themes_said
from services.desk.store.reading import some_cases
from services.desk.store.themes import MOST_CASES, Theme
from shared.contracts import Actor
from shared.contracts.refusal import Conflict, Forbidden, NotFound, Unacceptable
from shared.contracts.vocabulary import Role
from shared.messaging.row_buffer import values_of
from shared.messaging.transaction import Transaction
from shared.moments import here, local
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(prefix="/api/themes", tags=["themes"])

Person = Annotated[Staff, Depends(signed_in)]
EDITORS = frozenset({Role.COORDINATOR, Role.LEADER})
NO_STORE = {"Cache-Control": "no-store"}
MOST_MEASURES = 50
A_TERM, AHEAD = timedelta(days=183), timedelta(weeks=8)
_BETWEEN = re.compile(r"[\s,;，；、]+")
About = Annotated[str, Field(max_length=2_000), AfterValidator(clean)]


class NewTheme(Body):
    title: Line
    about: About = ""
    feedback_ids: list[Line] = Field(default_factory=list, max_length=MOST)


class ThemeChange(Body):
    title: Line
    about: About = ""
    status: Literal["open", "kept", "closed"] = "open"


class ThemeCases(Body):
    feedback_ids: list[Line] = Field(default_factory=list, max_length=MOST)
    typed: Annotated[str, Field(max_length=20_000), AfterValidator(clean)] = ""
    """Ids as people paste them, with anything between them."""
    out: bool = False
    """Take them out instead."""


@router.post("", summary="Open a theme", openapi_extra=described(NewTheme))
async def open_theme(request: Request, person: Person) -> Response:
    """201 ``{theme_id, title, about, status, origin, opened_at, cases, measures}``. The committee
    reads its words: numbers and addresses of persons are masked."""
    by = editor(person)
    fields = (await read_body(request)).with_list("feedback_ids")
    given = checked(NewTheme, fields)
    async with service_of(request, "desk").transaction() as tx:
        theme_id = await id_of(request, tx, person, fields)
        if (one := await themes.theme(tx, theme_id)) is None:
            one = Theme(
                theme_id=theme_id,
                title=public(tx, given.title),
                about=public(tx, given.about),
                opened_at=tx.now,
                by=person.username,
            )
            named = await cases_named(tx, viewer_of(person), given.feedback_ids)
            ids = await themes.known(tx, named)
            await themes.keep(tx, one)
            await themes.put_in(tx, one.theme_id, ids)
            await list_theme(request, tx, one, by)
        else:
            ids = await themes.case_ids(tx, theme_id)
    if wants_html(request):
        return RedirectResponse(f"/desk/themes/{one.theme_id}", 303)
    return JSONResponse(shown_theme(one, len(ids)), status_code=201)


@router.get("", summary="All themes, open ones first")
async def list_themes(request: Request, person: Person) -> JSONResponse:
    """``{items: [{theme_id, title, about, status, origin, opened_at, cases, measures}]}``."""
    reader(person)
    async with service_of(request, "desk").transaction() as tx:
        return JSONResponse(await list_body(tx), headers=NO_STORE)


async def list_body(tx: Transaction) -> dict[str, Any]:
    """The answer of ``GET /api/themes``."""
    return {"items": [shown_theme(one, n) for one, n in await themes.themes(tx)]}


@router.get("/{theme_id}", summary="One theme with its cases")
async def show_theme(request: Request, person: Person, theme_id: str) -> JSONResponse:
    """The same, ``items``: its newest cases as in the list, and what they say as it is said of a
    suggestion: ``sentences, places, outcomes``. ``measure_days: {from, to}``: between which days a
    measure may begin; ``measure_marks``: by which each measure is named to be corrected;
    ``taken_back``: ``[{what, on, responsible, at, by, by_name, why}]``, the newest last."""
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        return JSONResponse(await theme_body(tx, theme_id, context), headers=NO_STORE)


async def theme_body(tx: Transaction, theme_id: str, context: views.ViewContext) -> dict[str, Any]:
    """The answer of ``GET /api/themes/{id}``; `NotFound` where there is none."""
    one = await found_theme(tx, theme_id)
    ids = await themes.case_ids(tx, theme_id)
    cases = await some_cases(tx.connection, ids[:MOST])
    items = [views.item(values_of(case), context) for case in cases]
    items.sort(key=lambda item: str(item["received_at"]), reverse=True)
    sentences = [sentence for _, sentence in await themes_said.quotes(tx, ids)]
    said = await themes_said.places_and_outcomes(tx, ids)
    first, last = await measured_between(tx, one)
    days = {"from": first.isoformat(), "to": last.isoformat()}
    marks = [measure_mark(m) for m in one.measures]
    back = [
        m | {"at": local(datetime.fromisoformat(m["at"])), "by_name": context.person(m["by"])}
        for m in one.taken_back
    ]
    found = {"items": items, "sentences": sentences, "measure_days": days, "measure_marks": marks}
    found["taken_back"] = back
    return shown_theme(one, len(ids)) | found | said


async def measured_between(tx: Transaction, one: Theme) -> tuple[date, date]:
    """The days between which a measure may begin: about a term before the theme's first case, and
    some weeks ahead. Any other is a slip, as a rule in the year."""
    began = min(await themes.first_received(tx, one.theme_id) or one.opened_at, one.opened_at)
    return here(began).date() - A_TERM, here(tx.now).date() + AHEAD


def measure_mark(measure: Mapping[str, str]) -> str:
    """By which a measure is named that is corrected, or taken back."""
    return seen(measure["what"], measure["on"], measure["responsible"])


@router.post("/{theme_id}", summary="Call it otherwise", openapi_extra=described(ThemeChange))
async def change_theme(request: Request, person: Person, theme_id: str) -> Response:
    """``{theme_id, title, about, status, …}``."""
    by = editor(person)
    given = checked(ThemeChange, fields := (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        one = await theme_to_change(tx, theme_id, fields)
        one.title, one.about = public(tx, given.title), public(tx, given.about)
        one.status = given.status
        await list_theme(request, tx, one, by)
        n = len(await themes.case_ids(tx, theme_id))
    return done(request, one, n)


@router.post(
    "/{theme_id}/cases",
    summary="Put cases in, or take them out",
    openapi_extra=described(ThemeCases),
)
async def change_cases(request: Request, person: Person, theme_id: str) -> Response:
    """``{theme_id, …, changed, unknown}``: how many, and which there are none of."""
    by = editor(person)
    given = checked(ThemeCases, (await read_body(request)).with_list("feedback_ids"))
    typed = [one for one in _BETWEEN.split(given.typed) if one][:MOST]
    async with service_of(request, "desk").transaction() as tx:
        one = await theme_to_change(tx, theme_id)
        named = await cases_named(tx, viewer_of(person), (*given.feedback_ids, *typed))
        asked = list(dict.fromkeys(named))
        ids = await themes.known(tx, asked)
        unknown = [i for i in asked if i not in set(ids)]
        if unknown and not ids:
            raise Unacceptable(
                *NOT_FOUND,
                errors={"typed": " | ".join(NOT_FOUND)},
            )
        change = themes.take_out if given.out else themes.put_in
        changed = await change(tx, theme_id, ids)
        n = len(await themes.case_ids(tx, theme_id))
        if n > MOST_CASES:
            raise Conflict(
                f"一个主题最多 {MOST_CASES} 件，请分成几个。",
                f"A theme has {MOST_CASES} cases at most; please make several of it.",
            )
        if changed:
            await list_theme(request, tx, one, by)
    return done(request, one, n, changed=changed, unknown=unknown)


async def list_theme(request: Request, tx: Transaction, one: Theme, by: Actor) -> None:
    """Keep it and tell it: here at once, elsewhere when the directory has it."""
    listed = await themes.list_theme(tx, one, by=by)
    tx.after_commit(partial(runtime_of(request).directory.apply, listed))


def done(request: Request, one: Theme, n: int, **more: Any) -> Response:
    """The theme as it is now; a browser goes to its page."""
    if wants_html(request):
        missing = f"?unknown={len(more['unknown'])}" if more.get("unknown") else ""
        return RedirectResponse(f"/desk/themes/{one.theme_id}{missing}", 303)
    return JSONResponse(shown_theme(one, n) | more)


async def found_theme(tx: Transaction, theme_id: str, *, lock: bool = False) -> Theme:
    """The theme of that id; `NotFound` where there is none."""
    if not theme_id.isprintable() or len(theme_id) > 64:
        raise NotFound()
    if (one := await themes.theme(tx, theme_id, lock=lock)) is None:
        raise NotFound()
    return one


async def theme_to_change(
    tx: Transaction, theme_id: str, fields: Mapping[str, Any] | None = None
) -> Theme:
    """The same, locked, for a change; 409 where it is part of another one by now, or has moved
    since the page that sent `fields`."""
    one = await found_theme(tx, theme_id, lock=True)
    if fields is not None:
        refuse_stale(fields, _seen(one))
    if one.merged_into:
        raise Conflict(
            "这个主题已经并入别的主题。", "This theme is part of another one.", allowed=["look"]
        )
    return one


def editor(person: Staff) -> Actor:
    """In which role they may change themes; 403 for who may not."""
    for actor in viewer_of(person).actors:
        if actor.role in EDITORS:
            return actor
    raise Forbidden("主题由协调人员和领导整理。", "Coordinators and leaders look after the themes.")


def reader(person: Staff) -> None:
    """403 for who does not see every case."""
    if not viewer_of(person).every_role & READERS:
        raise Forbidden("您的身份不能看主题。", "Your role does not see themes.")


def shown_theme(one: Theme, cases: int) -> dict[str, Any]:
    """A theme as JSON carries it."""
    return {
        "theme_id": one.theme_id,
        "title": one.title,
        "about": one.about,
        "status": one.status,
        "origin": one.origin,
        "merged_into": one.merged_into,
        "opened_at": local(one.opened_at),
        "by": one.by,
        "cases": cases,
        "measures": one.measures,
        "seen": _seen(one),
    }


def _seen(one: Theme) -> str:
    return seen(one.title, one.about, one.status, one.merged_into)
