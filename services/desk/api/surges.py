"""Surges over HTTP: of what suddenly more is said; a person says whether it is one incident."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.bodies import Body
from services.desk.api.cases import view_context
from services.desk.api.incidents import (
    NewIncident,
    office,
    opened,
    opened_answer,
    opened_before,
    public,
    reader,
)
from services.desk.api.views import ViewContext, item
from services.desk.deps import deps_of
from services.desk.domain import Viewer
from services.desk.domain.deciding import wrong
from services.desk.domain.surges import names_it
from services.desk.store import jobs, surges
from services.desk.store.reading import some_cases
from services.desk.store.surges import Surge
from services.desk.wording.matters import matter_name
from shared.contracts import Actor
from shared.contracts.refusal import Conflict, NotFound
from shared.ids import id_as_typed, new_id
from shared.messaging.row_buffer import values_of
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(prefix="/api/surges", tags=["incidents"])

Person = Annotated[Staff, Depends(signed_in)]
_SHOWN = 50


class Nothing(Body):
    """Nothing is asked."""


@router.get("", summary="Of what suddenly more is said")
async def list_surges(request: Request, person: Person) -> JSONResponse:
    """``{items: [{surge_id, matter, found_at, n, minutes, usual, cases, items}]}``: what waits for
    somebody, the newest first. In `minutes` there were `n`, of which `usual` would have been;
    `cases` are the ids of all that came since, `items` the newest of them as in the list, each with
    `surely`: it names what the surge is about, and is not only near to it in meaning."""
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        body = await list_body(tx, context)
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def list_body(tx: Transaction, context: ViewContext) -> dict[str, Any]:
    """The answer of ``GET /api/surges``; pages show the same."""
    found = []
    for one in await surges.suggested(tx):
        cases = await some_cases(tx.connection, one.cases[-_SHOWN:])
        keys = await surges.keys_of(tx, one.cases)
        items = [
            item(values_of(case), context)
            | {"surely": names_it(one.key, keys.get(case.feedback_id, ()), list(keys.values()))}
            for case in cases
        ]
        items.sort(key=lambda case: str(case["received_at"]), reverse=True)
        found.append(_shown(one, context.locale) | {"items": items})
    return {"items": found}


@router.post(
    "/{surge_id}/confirm", summary="It is one incident", openapi_extra=described(NewIncident)
)
async def confirm(request: Request, person: Person, surge_id: str) -> Response:
    """201 as for ``POST /api/incidents``: the incident with the cases that are named, one at least.
    Nothing was said to a reporter before. 409 where it was made one with other words,
    or of other cases."""
    viewer = office(person)
    given = checked(NewIncident, (await read_body(request)).with_list("feedback_ids"))
    async with service_of(request, "desk").transaction() as tx:
        one = await _waiting(tx, surge_id, "confirmed", viewer)
        if not given.feedback_ids:
            # With none it would be an incident of nothing, and the surge gone.
            raise wrong("feedback_ids", "请至少选一件。", "Please choose at least one case.")
        body = await opened_before(tx, one.incident_id) if one.incident_id else None
        if body is not None:
            await _refuse_others(tx, given, body)
        else:
            body = await opened(tx, given, viewer, new_id())
            one.status, one.incident_id = "confirmed", body["incident_id"]
            await _decide(tx, one, viewer)
    return opened_answer(request, body)


@router.post("/{surge_id}/dismiss", summary="It is none", openapi_extra=described(Nothing))
async def dismiss(request: Request, person: Person, surge_id: str) -> Response:
    """``{surge_id, …, status}``: its matter is not suggested again for a day."""
    viewer = office(person)
    async with service_of(request, "desk").transaction() as tx:
        one = await _waiting(tx, surge_id, "dismissed", viewer)
        if one.status != "dismissed":
            one.status = "dismissed"
            await _decide(tx, one, viewer)
    if wants_html(request):
        return RedirectResponse("/desk/incidents", 303)
    return JSONResponse(_shown(one, "zh"))


async def _refuse_others(tx: Transaction, given: NewIncident, body: dict[str, Any]) -> None:
    """Sent twice it is the same; whoever wrote or chose something else since hears that it was not
    taken."""
    cases = await jobs.cases_of(tx, body["job"]) if "job" in body else set()
    others = {id_as_typed(one) for one in given.feedback_ids} != cases
    if others or (public(tx, given.title), public(tx, given.text)) != (body["title"], body["text"]):
        raise Conflict(
            "这些已经建成事件了，这一次写的、选的没有用上；请到那个事件里改说明、归入反馈。",
            "This has been made an incident already, and what you wrote or chose now was not used; "
            "please change the explanation and add cases there.",
            allowed=[],
        )


async def _decide(tx: Transaction, one: Surge, viewer: Viewer) -> None:
    one.decided_at, one.decided_by = tx.now, viewer.username
    by: Actor = viewer.actors[0]
    event = await surges.list_surge(tx, one, by=by)
    tx.after_commit(partial(deps_of(tx).directory.apply, event))


async def _waiting(tx: Transaction, surge_id: str, status: str, viewer: Viewer) -> Surge:
    """The surge, which nobody has judged; or this person, just so: a form that is sent twice."""
    if not surge_id.isprintable() or len(surge_id) > 64:
        raise NotFound()
    if (one := await surges.surge(tx, surge_id, lock=True)) is None:
        raise NotFound()
    done = (one.status, one.decided_by) == (status, viewer.username)
    if one.status not in ("suggested", "lapsed") and not done:
        raise Conflict("已经有人处理了。", "Somebody has judged it already.", allowed=[])
    return one


def _shown(one: Surge, locale: str) -> dict[str, Any]:
    return {
        "surge_id": one.surge_id,
        "matter": matter_name(one.key, locale),
        "status": one.status,
        "found_at": local(one.found_at),
        "n": one.n,
        "minutes": one.minutes,
        "usual": one.usual,
        "cases": one.cases,
        "incident_id": one.incident_id,
    }
