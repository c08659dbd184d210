"""One action on many cases: begun here, done case by case by a job, looked at while it runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api.actions import act
from services.desk.api.bodies import BODIES, Body, Line, NoBody
from services.desk.api.named import with_other_named
from services.desk.api.sent_twice import id_of
from services.desk.api.session import local_path
from services.desk.api.viewing import viewer_of
from services.desk.domain import Action, Viewer, permitted, who_is
from services.desk.domain.undoing import opposite
from services.desk.store import find, jobs
from services.desk.store.jobs import Item
from shared.contracts.refusal import Conflict, Forbidden, NotFound
from shared.contracts.vocabulary import Role
from shared.ids import id_as_typed
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.web.auth import Staff, runtime_of, service_of, signed_in
from shared.web.bodies import ParsedBody, checked, read_body
from shared.web.pages import choose_locale, wants_html

router = APIRouter(tags=["many cases"])

Person = Annotated[Staff, Depends(signed_in)]
MOST = 500
BULK = (
    Action.DISPATCH,
    Action.ASSIGN,
    Action.ACCEPT,
    Action.REPLY,
    Action.CLOSE,
    Action.EXPLAIN_BREACH,
    Action.MERGE,
    Action.JOIN,
    Action.LEAVE,
    Action.LINK,
    Action.UNLINK,
)
_NOT_OF_THE_ACTION = frozenset({"feedback_ids", "version", "seen", "back", "idempotency_key"})
_FORM = "form:"
"""Begins the subject of a job over chosen cases: the form that it was begun by."""
_SEE_ALL = frozenset({Role.COORDINATOR, Role.LEADER})


class Many(Body):
    feedback_ids: Annotated[list[Line], Field(min_length=1, max_length=MOST)]


def bulk_actions(viewer: Viewer) -> list[Action]:
    """What this person could do to many cases at once."""
    may = {a for actor in viewer.actors for a in permitted(who_is(actor))}
    return [action for action in BULK if action in may]


@router.post("/api/cases/bulk/{action}", summary="One action on many cases")
async def act_on_many(request: Request, person: Person, action: str) -> Response:
    """``{job}``: what becomes of it is seen under ``/api/jobs``. Besides `feedback_ids` the body
    holds what the action needs. A case for which it is refused stands in `failed`."""
    if action not in BULK:
        raise NotFound()
    viewer, wanted = viewer_of(person), Action(action)
    if wanted not in bulk_actions(viewer):
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    fields = (await read_body(request)).with_list("feedback_ids")
    many = checked(Many, fields)
    checked(BODIES.get(wanted, NoBody), fields)
    body = {k: v for k, v in fields.items() if k not in _NOT_OF_THE_ACTION}
    async with service_of(request, "desk").transaction() as tx:
        form = f"{_FORM}{await id_of(request, tx, person, fields)}"
        if (job_id := await jobs.newest_about(tx, form, (action,))) is None:
            # A job keeps its body, and no code is kept.
            body = await with_other_named(tx, viewer, wanted, body)
            ids = _without_the_other(many, body)
            job_id = jobs.add(tx, action, ids, body, by=starter(viewer), subject=form)
    return begun(request, job_id, fields.get("back"))


def _without_the_other(many: Many, body: dict[str, Any]) -> list[str]:
    """Whoever chose some cases, and one of them to join the rest to, means the rest."""
    ids = [id_as_typed(one) for one in many.feedback_ids]
    others = {id_as_typed(str(body[name])) for name in ("into", "to") if name in body}
    return [one for one in ids if one not in others] or ids


def begun(request: Request, job_id: str, back: Any = None, **more: Any) -> Response:
    """``{job, …}``; a browser is sent where the job is shown: to its page, or to `back`."""
    if not wants_html(request):
        return JSONResponse({"job": job_id, **more})
    if not isinstance(back, str) or local_path(back) != back or "?" in back or "#" in back:
        return RedirectResponse(f"/desk/jobs/{job_id}", 303)
    return RedirectResponse(f"{back}?job={job_id}", 303)


@router.get("/api/jobs/{job_id}", summary="How far a job over many cases is")
async def show_job(request: Request, person: Person, job_id: str) -> JSONResponse:
    """``{job, kind, done, total, failed: [{feedback_id, detail}], undoable, undone_by}``; of
    one's own jobs, the office sees all."""
    async with service_of(request, "desk").transaction() as tx:
        body = await job_body(tx, person, job_id, _locale(request))
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.post("/api/jobs/{job_id}/undo", summary="Take back what a job did")
async def undo(request: Request, person: Person, job_id: str) -> Response:
    """``{job}``: another job, which does the opposite for every case that nobody has touched since.
    Once more is the same as once; 409 while the job runs, and where nothing can be undone."""
    raw = await read_body(request, may_be_empty=True)
    async with service_of(request, "desk").transaction() as tx:
        found = await _theirs(tx, person, job_id)
        if found.undone_by is not None:
            return begun(request, found.undone_by, raw.fields.get("back"))
        if found.done < found.total:
            raise Conflict(
                "还在逐件处理，请等它完成再撤销。",
                "It is still running; it can be undone when it is done.",
                allowed=["wait"],
            )
        if not (ids := await jobs.to_undo(tx, job_id)):
            raise Conflict(
                "这一步没有可以撤销的；要改，请打开其中一件单独改。",
                "There is nothing to undo; open one of the cases to change it.",
                allowed=["open"],
            )
        undone = jobs.add(tx, jobs.UNDO, ids, {}, by=starter(viewer_of(person)), subject=job_id)
    return begun(request, undone, raw.fields.get("back"))


async def job_body(tx: Transaction, person: Staff, job_id: str, locale: str) -> dict[str, Any]:
    """The answer of ``GET /api/jobs/{id}``; `NotFound` also for what is not theirs to see."""
    found = await _theirs(tx, person, job_id)
    failed = [{"feedback_id": i, "detail": words[locale]} for i, words in found.failed]
    return {
        "job": job_id,
        "kind": found.kind,
        "of": None if (found.subject or "").startswith(_FORM) else found.subject,
        "created_at": local(found.created_at),
        "done": found.done,
        "total": found.total,
        "failed": failed,
        "undoable": found.undoable if found.done == found.total else 0,
        "undone_by": found.undone_by,
    }


async def _theirs(tx: Transaction, person: Staff, job_id: str) -> jobs.Progress:
    plain = job_id.isprintable() and len(job_id) <= 64
    found = await jobs.progress(tx, job_id) if plain else None
    if found is None or not (found.by == person.username or _SEE_ALL & person.every_role):
        raise NotFound()
    return found


def _locale(request: Request) -> str:
    return choose_locale(request, runtime_of(request).settings.locale)


async def perform(tx: Transaction, item: Item) -> dict[str, Any] | None:
    """What whoever began the job asked for, for one of its cases, by the rules for them; gives
    what would take it back."""
    assert item.by is not None
    viewer = _began(item.by)
    if item.kind == jobs.UNDO:
        assert item.subject is not None
        if (how := await jobs.how_to_undo(tx, item.subject, item.feedback_id)) is not None:
            body = ParsedBody(how["body"])
            await act(tx, viewer, item.feedback_id, Action(how["action"]), body)
        return None
    action = Action(item.kind)
    before = await act(tx, viewer, item.feedback_id, action, ParsedBody(item.body))
    back = opposite(action, before, item.body) if before is not None else None
    row = find(tx, item.feedback_id)
    if back is None or row is None:
        return None
    # Who has it may have gone on with it: then there is nothing left to take back.
    return {"action": back[0], "body": back[1] | {"version": row.version}}


def starter(viewer: Viewer) -> dict[str, Any]:
    """Who begins a job, as it is kept with it."""
    return {
        "username": viewer.username,
        "roles": sorted(viewer.roles),
        "department": viewer.department,
        "display": viewer.display,
        "stands_in_for": [starter(one) for one in viewer.stands_in_for],
    }


def _began(by: dict[str, Any]) -> Viewer:
    absent = tuple(_began(one) for one in by.get("stands_in_for", ()))
    return Viewer(
        by["username"],
        frozenset(map(Role, by["roles"])),
        by["department"],
        by["display"],
        absent,
    )
