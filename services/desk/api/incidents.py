"""Incidents over HTTP: one fault that many report, one explanation, one answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.desk.api import views
from services.desk.api.bodies import (
    Body,
    Closing,
    Line,
    ReaderLine,
    ReaderWords,
    ReplyToAll,
    WithReason,
)
from services.desk.api.bulk import MOST, begun, starter
from services.desk.api.cases import view_context
from services.desk.api.named import cases_named
from services.desk.api.seen import refuse_stale, seen
from services.desk.api.sent_twice import id_of
from services.desk.api.viewing import viewer_of
from services.desk.deps import deps_of
from services.desk.domain import Action, Viewer, check_outcome, permitted
from services.desk.domain.transitions import ACTIVE
from services.desk.store import IncidentRow, incidents, jobs
from shared.contracts.refusal import Conflict, Forbidden, NotFound
from shared.contracts.vocabulary import Role, State
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.privacy import masked
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body
from shared.web.pages import wants_html

router = APIRouter(prefix="/api/incidents", tags=["incidents"])

Person = Annotated[Staff, Depends(signed_in)]
READERS = frozenset({Role.COORDINATOR, Role.LEADER, Role.AUDITOR})
"""Who sees every case sees incidents, too."""
_DONE_TO_ALL = (Action.ANSWER_INCIDENT, Action.LEAVE)
_SAID_TO_ALL = (*_DONE_TO_ALL, "explain")
NO_STORE = {"Cache-Control": "no-store"}


class NewIncident(Body):
    title: ReaderLine
    text: ReaderWords
    feedback_ids: list[Line] = Field(default_factory=list, max_length=MOST)
    """Cases that belong to it from the beginning."""


class Explanation(Body):
    text: ReaderWords


@router.post("", summary="Open an incident", openapi_extra=described(NewIncident))
async def open_incident(request: Request, person: Person) -> Response:
    """201 ``{incident_id, title, text, open, opened_at, by, cases, active}``, and the `job` that
    joins `feedback_ids` to it. Title and text are public: numbers and addresses of persons are
    masked."""
    viewer = office(person)
    fields = (await read_body(request)).with_list("feedback_ids")
    given = checked(NewIncident, fields)
    async with service_of(request, "desk").transaction() as tx:
        incident_id = await id_of(request, tx, person, fields)
        body = await opened_before(tx, incident_id) or await opened(tx, given, viewer, incident_id)
    return opened_answer(request, body)


async def opened_before(tx: Transaction, incident_id: str) -> dict[str, Any] | None:
    """The answer where the form comes a second time."""
    if (row := await incidents.incident(tx, incident_id)) is None:
        return None
    sizes = await incidents.sizes(tx, [incident_id])
    job = await jobs.newest_about(tx, incident_id, (Action.JOIN,))
    return _shown(row, sizes.get(incident_id, (0, 0))) | ({"job": job} if job else {})


async def opened(
    tx: Transaction, given: NewIncident, viewer: Viewer, incident_id: str
) -> dict[str, Any]:
    """Open an incident; gives the answer to whoever did."""
    row = IncidentRow(
        incident_id=incident_id,
        title=public(tx, given.title),
        text=public(tx, given.text),
        opened_at=tx.now,
        by=viewer.username,
    )
    incidents.list_incident(tx, row)
    body = _shown(row, (0, 0))
    if ids := await cases_named(tx, viewer, given.feedback_ids):
        incident_id, by = row.incident_id, starter(viewer)
        joins = {"incident": incident_id}
        body["job"] = jobs.add(tx, Action.JOIN, ids, joins, by=by, subject=incident_id)
    return body


def opened_answer(request: Request, body: dict[str, Any]) -> Response:
    """201, or for a browser the way to its page."""
    if wants_html(request):
        where = f"/desk/incidents/{body['incident_id']}"
        return RedirectResponse(f"{where}?job={body['job']}" if "job" in body else where, 303)
    return JSONResponse(body, status_code=201)


@router.get("", summary="All incidents, open ones first")
async def list_incidents(request: Request, person: Person) -> JSONResponse:
    """``{items: [{incident_id, title, text, open, opened_at, cases, active, …}]}``."""
    reader(person)
    async with service_of(request, "desk").transaction() as tx:
        body = await list_body(tx)
    return JSONResponse(body, headers=NO_STORE)


async def list_body(tx: Transaction) -> dict[str, Any]:
    """The answer of ``GET /api/incidents``; pages show the same."""
    rows = await incidents.newest(tx)
    sizes = await incidents.sizes(tx, [row.incident_id for row in rows])
    return {"items": [_shown(row, sizes.get(row.incident_id, (0, 0))) for row in rows]}


@router.get("/{incident_id}", summary="One incident with its cases")
async def show_incident(request: Request, person: Person, incident_id: str) -> JSONResponse:
    """The same, and ``items``: its cases as in the list, with their words, `joined_at` and
    `joined_since` (the last answer or explanation); ``reach``: how many of who waits for an answer
    get a `mail`, a `wechat` message, or see it on their `page` alone; ``read_english``: how many of
    them read English; ``unreached``: cases whose reporter the last message did not reach, and
    ``unsure``: those of whom nobody knows; ``job``: what was done last to all of them."""
    reader(person)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        body = await incident_body(tx, incident_id, context)
    return JSONResponse(body, headers=NO_STORE)


async def incident_body(
    tx: Transaction, incident_id: str, context: views.ViewContext
) -> dict[str, Any]:
    """The answer of ``GET /api/incidents/{id}``; `NotFound` where there is none."""
    row = await _found(tx, incident_id)
    cases = await incidents.cases_of(tx, incident_id)
    ids = [case["feedback_id"] for case in cases]
    active = [case["feedback_id"] for case in cases if State(case["state"]) in ACTIVE]
    joined = await incidents.joined_at(tx, incident_id, ids)
    job = await jobs.newest_about(tx, incident_id, _SAID_TO_ALL)
    told = await jobs.progress(tx, job) if job else None
    since = told.created_at if told else None
    unreached, unsure = await incidents.unreached(tx, ids, since or row.opened_at)
    items = [
        views.item(case, context)
        | {
            "text": case["words"] or "",
            "joined_at": local(at := joined.get(case["feedback_id"])),
            "joined_since": since is not None and at is not None and at > since,
        }
        for case in cases
    ]
    return _shown(row, (len(ids), len(active))) | {
        "items": items,
        "reach": await incidents.reach(tx, active),
        "read_english": sum(
            views.reads_english(case["locale"]) for case in cases if case["feedback_id"] in active
        ),
        "unreached": unreached,
        "unsure": unsure,
        "job": job,
    }


@router.post(
    "/{incident_id}/reply", summary="Answer all its cases", openapi_extra=described(ReplyToAll)
)
async def answer(request: Request, person: Person, incident_id: str) -> Response:
    """``{job, total}``: the words reach every active case, each masked for its own reporter, those
    in `english` whoever reads that. Who joins later reads both at once, and waits for an answer of
    their own."""
    viewer = office(person)
    given = _reply_in(values := (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        row = await _found(tx, incident_id, lock=True)
        if not row.open and not await incidents.active_cases(tx, incident_id):
            raise _over()
        words = public(tx, given.both)
        if row.answer != words:
            refuse_stale(values, _seen(row))
        elif (before := await _begun_before(tx, incident_id, Action.ANSWER_INCIDENT)) is not None:
            return _begun(request, incident_id, *before)
        started = await _begin(tx, viewer, row, Action.ANSWER_INCIDENT, values)
        row.answer, row.answered_at = words, tx.now
        incidents.list_incident(tx, row)
    return _begun(request, incident_id, *started)


@router.post("/{incident_id}/close", summary="It is over", openapi_extra=described(Closing))
async def close(request: Request, person: Person, incident_id: str) -> Response:
    """``{job, total}``: it takes no case any more. Once more is the same as once.

    Nobody's case ends by that unanswered. While some wait for an answer, `waiting` says what
    becomes of them: ``answer`` (`text`, `english`, `outcome`, `rule` and `reason` as in a reply to
    all; the words stand for a `reason` that is not given) or ``go_on`` (each by itself, out of the
    incident); 409 without it. Otherwise it needs a `reason`."""
    viewer = office(person)
    waiting = checked(Closing, values := (await read_body(request)).values()).waiting
    reply = _reply_in(values) if waiting == "answer" else None
    reason = (reply.reason or reply.text) if reply else checked(WithReason, values).reason
    async with service_of(request, "desk").transaction() as tx:
        row = await _found(tx, incident_id, lock=True)
        words = public(tx, reply.both) if reply else row.answer
        action = Action.ANSWER_INCIDENT if reply else Action.LEAVE
        before = None if row.open else await _begun_before(tx, incident_id, action)
        if before is not None and words == row.answer:
            return _begun(request, incident_id, *before)
        if row.open:
            refuse_stale(values, _seen(row))
        active = await incidents.active_cases(tx, incident_id)
        if active and waiting is None:
            raise _unanswered(len(active))
        if row.open:
            row.open, row.closed_at, row.reason = False, tx.now, public(tx, reason)
        if reply and active:
            row.answer, row.answered_at = words, tx.now
        incidents.list_incident(tx, row)
        body = values if reply else {"over": True}
        started = await _begin(tx, viewer, row, action, body)
    return _begun(request, incident_id, *started)


def _reply_in(values: dict[str, Any]) -> ReplyToAll:
    given = checked(ReplyToAll, values)
    check_outcome(given.outcome, given.reason)
    return given


@router.post(
    "/{incident_id}/explain",
    summary="Another explanation for the public",
    openapi_extra=described(Explanation),
)
async def explain(request: Request, person: Person, incident_id: str) -> Response:
    """``{job, total}``: shown on the page of every active case."""
    viewer = office(person)
    given = checked(Explanation, values := (await read_body(request)).values())
    async with service_of(request, "desk").transaction() as tx:
        row = await _found(tx, incident_id, lock=True)
        if not row.open:
            active = await incidents.active_cases(tx, incident_id)
            raise _over("reply") if active else _over()
        words = public(tx, given.text)
        if (row.text, row.answer) != (words, None):
            refuse_stale(values, _seen(row))
        elif (before := await _begun_before(tx, incident_id, "explain")) is not None:
            return _begun(request, incident_id, *before)
        # The explanation is the newer word: whoever comes now is not told what was true before.
        row.text, row.answer, row.answered_at = words, None, None
        incidents.list_incident(tx, row)
        body = {"incident_id": incident_id, "title": row.title, "text": row.text}
        ids = await incidents.active_cases(tx, incident_id)
        by = next(a for a in viewer.actors if a.role in OFFICE)
        job_id = jobs.add(
            tx, "explain", ids, body, by=by.model_dump(mode="json"), subject=incident_id
        )
    return _begun(request, incident_id, job_id, len(ids))


def _seen(row: IncidentRow) -> str:
    """What the public reads, and whether it goes on: nobody overwrites it unseen."""
    return seen(row.text, row.answer, row.open)


def _begun(request: Request, incident_id: str, job_id: str, total: int) -> Response:
    return begun(request, job_id, f"/desk/incidents/{incident_id}", total=total)


async def _begun_before(tx: Transaction, incident_id: str, kind: str) -> tuple[str, int] | None:
    """The job that the same words began, while it runs: a form that is sent twice."""
    job = await jobs.newest_about(tx, incident_id, (kind,))
    found = await jobs.progress(tx, job) if job else None
    return (job, found.total) if job and found and found.done < found.total else None


async def _begin(
    tx: Transaction, viewer: Viewer, row: IncidentRow, action: Action, body: dict[str, Any]
) -> tuple[str, int]:
    """A double click begins nothing twice: one job of an incident at a time."""
    incident_id = row.incident_id
    if await jobs.is_running(tx, _DONE_TO_ALL, incident_id):
        raise Conflict(
            "这个事件正在逐件处理，请等它完成。",
            "The cases of this incident are being worked through; please wait until that is done.",
            allowed=["explain"] if row.open else [],
        )
    ids = await incidents.active_cases(tx, incident_id)
    # What was seen of the incident says nothing of a case.
    body = {name: value for name, value in body.items() if name != "seen"}
    return jobs.add(tx, action, ids, body, by=starter(viewer), subject=incident_id), len(ids)


def _unanswered(active: int) -> Conflict:
    return Conflict(
        f"还有 {active} 件没有答复，不能就这样结束：可以答复每一件并结束，或者让它们各自继续办理。",
        f"Not answered yet: {active}. Answer them all in closing it, or let them go on by"
        " themselves.",
        allowed=["answer", "go_on"],
    )


def _over(*allowed: str) -> Conflict:
    """Nothing more is said to an incident that is over, but to cases opened again since."""
    return Conflict(
        "这个事件已经结束；还有新情况，请另开一个事件，或在单件里答复。",
        "This incident is over; please open another, or answer the case itself.",
        allowed=[*allowed, "open"],
    )


async def _found(tx: Transaction, incident_id: str, *, lock: bool = False) -> IncidentRow:
    if not incident_id.isprintable() or len(incident_id) > 64:
        raise NotFound()
    if (row := await incidents.incident(tx, incident_id, lock=lock)) is None:
        raise NotFound()
    return row


OFFICE = frozenset(r for r in Role if Action.ANSWER_INCIDENT in permitted(r))


def office(person: Staff) -> Viewer:
    """Who may speak for an incident; 403 for who may not."""
    viewer = viewer_of(person)
    if not viewer.every_role & OFFICE:
        raise Forbidden("您的身份不能做这一步。", "Your role may not do this.")
    return viewer


def reader(person: Staff) -> None:
    """403 for who sees no incidents."""
    if not viewer_of(person).every_role & READERS:
        raise Forbidden("您的身份不能看事件。", "Your role does not see incidents.")


def public(tx: Transaction, words: str) -> str:
    """What everybody may read of it."""
    return masked(words, own=deps_of(tx).own_addresses)


def _shown(row: IncidentRow, sizes: tuple[int, int]) -> dict[str, Any]:
    return {
        "incident_id": row.incident_id,
        "title": row.title,
        "text": row.text,
        "open": row.open,
        "opened_at": local(row.opened_at),
        "closed_at": local(row.closed_at),
        "reason": row.reason,
        "by": row.by,
        "answer": row.answer,
        "answered_at": local(row.answered_at),
        "seen": _seen(row),
        "cases": sizes[0],
        "active": sizes[1],
    }
