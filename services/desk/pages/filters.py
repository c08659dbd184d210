"""Lists that a person comes back to: kept under a name, renamed, thrown away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import Body, Line
from services.desk.store import FilterRow, filters
from services.desk.store.looks import QUEUES
from shared.contracts.refusal import Conflict, NotFound
from shared.contracts.vocabulary import Channel, State
from shared.messaging.transaction import Transaction
from shared.web.auth import Staff, runtime_of, service_of, staff
from shared.web.bodies import checked, read_body

router = APIRouter(include_in_schema=False)

KEPT = ("queue", "state", "department", "category", "channel", "q")
"""What of an address makes the list; where somebody was in it does not."""
_KNOWN: Mapping[str, Collection[str]] = {
    "queue": QUEUES,
    "state": frozenset(State),
    "channel": frozenset(Channel),
}


class Name(Body):
    name: Annotated[Line, Field(max_length=60)]


class New(Name):
    query: Annotated[str, Field(max_length=2000)] = ""


@router.post("/desk/filters")
async def keep(request: Request) -> Response:
    """Keep the list of ``query`` as ``name``; back to it. 422 for a department or a category that
    there is not: nobody could open it."""
    person = staff(request)
    given = checked(New, (await read_body(request)).values())
    asked = dict(parse_qsl(given.query.removeprefix("?")))
    directory = runtime_of(request).directory
    directory.check_department(asked.get("department") or None)
    directory.check_category(asked.get("category") or None)
    query = list_of(asked)
    async with service_of(request, "desk").transaction() as tx:
        if not await filters.add(tx, person.username, given.name, query):
            raise Conflict(
                "筛选太多了，先删掉几个。",
                "That is too many; please delete some.",
                allowed=["rename", "delete"],
            )
    return RedirectResponse(f"/desk?{query}", 303)


@router.post("/desk/filters/{filter_id}")
async def rename(request: Request, filter_id: str) -> Response:
    """Call it ``name``; back to its list."""
    person = staff(request)
    given = checked(Name, (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        row = await _own(tx, person, filter_id)
        row.name = given.name
        tx.session.add(row)
        query = row.query
    return RedirectResponse(f"/desk?{query}", 303)


@router.post("/desk/filters/{filter_id}/delete")
async def delete(request: Request, filter_id: str) -> Response:
    """Throw it away; the list stays where it is."""
    person = staff(request)
    async with service_of(request, "desk").transaction() as tx:
        row = await _own(tx, person, filter_id)
        query = row.query
        await tx.session.delete(row)
    return RedirectResponse(f"/desk?{query}", 303)


def list_of(asked: Mapping[str, str]) -> str:
    """The part of an address that makes a list, always in the same order."""
    kept = {
        name: asked[name]
        for name in KEPT
        if asked.get(name) and len(asked[name]) <= 200 and asked[name].isprintable()
    }
    for name, known in _KNOWN.items():
        if kept.get(name) not in known:
            kept.pop(name, None)
    return urlencode(kept)


async def _own(tx: Transaction, person: Staff, filter_id: str) -> FilterRow:
    plain = filter_id.isascii() and filter_id.isprintable()
    row = await filters.own(tx, person.username, filter_id) if plain else None
    if row is None:
        raise NotFound()
    return row
