"""Cases over HTTP: the queues, one case, and everything that can be done to it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk import store
from services.desk.api import views
from services.desk.api.bodies import BODIES, NoBody, Raw, checked, clean, receive
from services.desk.domain import (
    OFFERED,
    Action,
    Case,
    Said,
    Viewer,
    advance,
    scope_of,
    sees,
)
from services.desk.domain.case import check
from services.desk.store import people
from services.desk.store.queues import QUEUES, Wanted
from services.desk.store.queues import page as read_page
from services.desk.store.reading import Whole, read_whole
from shared.contracts.refusal import Conflict, NotFound, Unacceptable
from shared.contracts.vocabulary import State
from shared.messaging.transaction import Transaction
from shared.privacy import mask
from shared.service import Service
from shared.web.auth import Staff, house_of, service_of, staff
from shared.web.bodies import inlined
from shared.web.pages import choose_locale, wants_html

log = structlog.get_logger()
router = APIRouter(tags=["cases"])

Person = Annotated[Staff, Depends(staff)]
Short = Annotated[str, Field(max_length=100), AfterValidator(clean)]
Words = Annotated[str, Field(max_length=500), AfterValidator(clean)]
Long = Annotated[str, Field(max_length=1000), AfterValidator(clean)]
Blank = BeforeValidator(lambda value: None if value == "" else value)
"""A field of a search form that was left empty asks for nothing."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OVERWRITES_NOTHING = frozenset({Action.NOTE})


@router.get("/api/cases", summary="A queue, what breaks first on top")
async def list_cases(
    request: Request,
    person: Person,
    state: Annotated[State | None, Blank, Query()] = None,
    department: Annotated[Short | None, Blank, Query()] = None,
    queue: Annotated[Literal[QUEUES] | None, Blank, Query()] = None,  # type: ignore[valid-type]
    q: Annotated[Words, Query()] = "",
    cursor: Annotated[Long | None, Query()] = None,
    limit: Annotated[Annotated[int, Field(ge=1, le=200)] | None, Blank, Query()] = None,
) -> JSONResponse:
    """``{items, next}``; of what this person may see."""
    viewer = viewer_of(person)
    wanted = Wanted(
        scope=scope_of(viewer),
        username=person.username,
        own_department=person.department,
        now=house_of(request).clock.now(),
        queue=queue or "all",
        state=state,
        department=department,
        q=q,
        cursor=cursor,
        limit=limit or 50,
    )
    body = await list_body(service_of(request, "desk"), wanted, eyes_of(request, person))
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.get("/api/cases/{feedback_id}", summary="One case")
async def show_case(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """The case with its words, promises, timeline, and what this person may do now."""
    body = await case_body(service_of(request, "desk"), feedback_id, eyes_of(request, person))
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"title": action.value} | inlined(body.model_json_schema())
                        for action, body in BODIES.items()
                    ]
                    + [{"title": "the other actions", "type": "object"}]
                }
            }
        }
    }
}


@router.post(
    "/api/cases/{feedback_id}/{action}",
    summary="Do something to a case",
    openapi_extra=_OPENAPI,
)
async def act(request: Request, person: Person, feedback_id: str, action: str) -> Response:
    """The case as it is afterwards; a browser's form is sent back to the page."""
    if action not in OFFERED or not _ID.fullmatch(feedback_id):
        raise NotFound()
    raw = await receive(request)
    wanted = Action(action)
    service = service_of(request, "desk")
    await _do(service, person, feedback_id, wanted, raw, request.headers.get("if-match"))
    eyes = eyes_of(request, person)
    found = await _read(service, feedback_id)
    if wants_html(request):
        # Who gave the case away may not see it any more: back to the work, then.
        still = sees(eyes.viewer, found.case)
        return RedirectResponse(
            f"/desk/cases/{feedback_id}?done={action}" if still else f"/desk?done={action}", 303
        )
    return JSONResponse(_shown(found, eyes), headers={"Cache-Control": "no-store"})


async def list_body(service: Service, wanted: Wanted, eyes: views.Eyes) -> dict[str, Any]:
    """The answer of ``GET /api/cases``; pages show the same."""
    async with service.engine.connect() as connection:
        rows, cursor = await read_page(connection, wanted)
    return {"items": [views.item(row, eyes) for row in rows], "next": cursor}


async def case_body(service: Service, feedback_id: str, eyes: views.Eyes) -> dict[str, Any]:
    """The answer of ``GET /api/cases/{id}``; `NotFound` also for what is not theirs to see."""
    found = await _read(service, feedback_id)
    if not sees(eyes.viewer, found.case):
        raise NotFound()
    return _shown(found, eyes)


def viewer_of(person: Staff) -> Viewer:
    """The person as visibility sees them."""
    return Viewer(person.username, person.role, person.department)


def eyes_of(request: Request, person: Staff) -> views.Eyes:
    """Who looks, when, in which language."""
    house = house_of(request)
    return views.Eyes(
        viewer_of(person),
        house.clock.now(),
        choose_locale(request, house.settings.locale),
        house.directory,
    )


def _shown(found: Whole, eyes: views.Eyes) -> dict[str, Any]:
    """The whole case; a look at who is behind it goes on record."""
    body = views.whole(found, eyes)
    if views.shows_person(body):
        log.info("contact read", feedback_id=body["feedback_id"], by=eyes.viewer.username)
    return body


async def _read(service: Service, feedback_id: str) -> Whole:
    if not _ID.fullmatch(feedback_id):
        raise NotFound()
    async with service.engine.connect() as connection:
        found = await read_whole(connection, feedback_id)
    if found is None:
        raise NotFound()
    return found


async def _do(
    service: Service,
    person: Staff,
    feedback_id: str,
    action: Action,
    raw: Raw,
    if_match: str | None,
) -> None:
    async with service.transaction() as tx:
        await tx.lock(feedback_id)
        await store.load(tx, [feedback_id])
        row = store.find(tx, feedback_id)
        if row is None or not sees(viewer_of(person), row):
            raise NotFound()
        case = store.case_of(row)
        check(case, action, by=person.actor, at=tx.now)
        values = raw.values()
        if action not in _OVERWRITES_NOTHING:
            _refuse_stale(case, values, if_match)
        said = await _said(tx, case, action, checked(BODIES.get(action, NoBody), values))
        change = advance(case, action, said, by=person.actor, at=tx.now)
        store.keep(tx, row, change)
        if kind := _WRITTEN.get(action):
            store.write(
                tx,
                feedback_id,
                kind,
                said.text or said.reason,
                by=person.actor,
                outcome=str(said.outcome) if action is Action.REPLY else None,
            )


_WRITTEN = {
    Action.NOTE: "note",
    Action.REPLY: "reply",
    Action.ASK: "question",
    Action.REJECT: "rejection",
}
"""What is kept of the words that come with an action, and as what."""


async def _said(tx: Transaction, case: Case, action: Action, body: Any) -> Said:
    """The body as the domain takes it; names are looked up here."""
    match action:
        case Action.DISPATCH:
            await _department(tx, body.department, "department")
            return Said(
                department=body.department,
                category=body.category,
                priority=body.priority,
                case_type=body.type,
            )
        case Action.RETURN:
            if body.suggest is not None:
                await _department(tx, body.suggest, "suggest")
            return Said(reason=mask(body.reason), suggest=body.suggest)
        case Action.ASSIGN:
            staff_there = {p.username: p for p in await people.staff_of(tx, case.department or "")}
            if (chosen := staff_there.get(body.to)) is None:
                raise _wrong("to", "本部门没有这个账号。", "Nobody of this department.")
            return Said(to=chosen.username, to_display=chosen.display)
        case Action.ASK:
            return Said(text=body.question)
        case Action.REPLY:
            return Said(text=body.text, outcome=body.outcome)
        case Action.NOTE:
            return Said(text=body.text)
        case Action.REJECT:
            return Said(reason=body.reason)
        case Action.REOPEN:
            return Said(reason=mask(body.reason))
        case _:
            return Said()


async def _department(tx: Transaction, code: str, field: str) -> None:
    if await people.department(tx, code) is None:
        raise _wrong(field, "没有这个部门。", "There is no such department.")


def _wrong(field: str, zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={field: f"{zh} | {en}"})


def _refuse_stale(case: Case, values: dict[str, Any], if_match: str | None) -> None:
    """409 where the page that asks showed an older case than there is now."""
    seen = if_match if if_match is not None else values.get("version", values.get("seen"))
    if seen in (None, "", "*"):
        return
    plain = str(seen).strip().removeprefix("W/").strip('"')
    if not (plain.isascii() and plain.isdigit()) or isinstance(seen, bool):
        raise _wrong("version", "版本号须为数字。", "The version must be a number.")
    if plain.lstrip("0") != str(case.version):
        raise Conflict(
            "您看的时候，这一件有了变化。请先看看最新的情况再做。",
            "This matter changed while you were looking at it. Please look again first.",
            allowed=[],
        )
