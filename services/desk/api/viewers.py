"""Who else looks at a case, or writes in it, at the same time; who could be asked to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request

from services.desk import store
from services.desk.api.bodies import Body
from services.desk.api.cases import is_id
from services.desk.api.mentions import colleagues
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.domain import sees
from services.desk.store import CaseRow, viewers
from shared.contracts.refusal import NotFound
from shared.messaging.transaction import Transaction
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import checked, described, read_body

router = APIRouter(prefix="/api/cases/{feedback_id}", tags=["cases"])

Person = Annotated[Staff, Depends(signed_in)]


class Beat(Body):
    writing: bool = False


@router.get("/viewers", summary="Who else looks at it or writes in it now")
async def show_viewers(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """``{items: [{username, display, writing}]}``, without who asks."""
    async with service_of(request, "desk").transaction() as tx:
        await _visible(tx, person, feedback_id)
        return await _others(tx, person, feedback_id)


@router.put("/viewers", summary="I look at it now", openapi_extra=described(Beat))
async def beat(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """The same; counts for half a minute, and hinders nobody."""
    raw = await read_body(request, may_be_empty=True, late=True)
    async with service_of(request, "desk").transaction() as tx:
        await _visible(tx, person, feedback_id)
        body = checked(Beat, raw.values())
        await viewers.beat(tx, feedback_id, person.username, writing=body.writing)
        return await _others(tx, person, feedback_id)


@router.get("/colleagues", summary="Who can be mentioned: colleagues who may see it")
async def show_colleagues(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """``{items: [{username, display, department}]}``, without who asks."""
    async with service_of(request, "desk").transaction() as tx:
        row = await _visible(tx, person, feedback_id)
    items = [
        {"username": one.username, "display": one.display, "department": one.department}
        for one in colleagues(runtime_of(request).directory, row, person.username)
    ]
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


async def _others(tx: Transaction, person: Staff, feedback_id: str) -> JSONResponse:
    people = deps_of(tx).directory.people
    items = []
    for one in await viewers.others(tx, feedback_id, person.username):
        listed = people.get(one.username)
        display = listed.display if listed else one.username
        items.append({"username": one.username, "display": display, "writing": one.writing})
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


async def _visible(tx: Transaction, person: Staff, feedback_id: str) -> CaseRow:
    if not is_id(feedback_id):
        raise NotFound()
    await store.load(tx, [feedback_id])
    row = store.find(tx, feedback_id)
    if row is None or not sees(viewer_of(person), row):
        raise NotFound()
    return row
