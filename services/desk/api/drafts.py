"""A reply before it is sent: kept while it is typed, and looked at."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from services.desk import store
from services.desk.api.bodies import Draft
from services.desk.api.cases import is_id, view_context
from services.desk.api.viewing import viewer_of
from services.desk.api.views import ViewContext, hints_on, hints_on_words, reads_english
from services.desk.deps import deps_of
from services.desk.domain import Action, permitted, sees, who_is
from services.desk.store import CaseRow, drafts
from shared.contracts.refusal import Forbidden, NotFound
from shared.messaging.transaction import Transaction
from shared.moments import local
from shared.web.auth import Staff, service_of, signed_in
from shared.web.bodies import checked, described, read_body

router = APIRouter(tags=["cases"])

Person = Annotated[Staff, Depends(signed_in)]
_NO_STORE = {"Cache-Control": "no-store"}
_FIELDS: dict[str, str] = {
    Action.ASK: "question",
    Action.PROGRESS: "text",
    Action.AMEND: "text",
    Action.REJECT: "reason",
}
"""Other words to a reporter: action → their field."""
_WRITES = frozenset({Action.REPLY, Action.SUBMIT, Action.APPROVE})


@router.put(
    "/api/cases/{feedback_id}/draft",
    summary="Keep a reply while it is typed",
    openapi_extra=described(Draft),
)
async def keep_draft(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """The draft as it is kept, for nobody but who wrote it; null for one without words."""
    raw = await read_body(request, late=True)
    async with service_of(request, "desk").transaction() as tx:
        row = await writable(tx, person, feedback_id)
        draft = checked(Draft, raw.values())
        if not draft.text.strip():
            drafts.delete(tx, feedback_id, person.username)
            return JSONResponse(None, headers=_NO_STORE)
        words = await store.staff_words(tx, row, draft.text, deps_of(tx).own_addresses)
        # Of who is erased nothing is kept any more, here neither.
        text = words.masked if row.erased else draft.text
        drafts.keep(tx, feedback_id, person.username, text, draft.outcome, draft.rule)
    body = {"text": text, "outcome": draft.outcome, "rule": draft.rule, "saved_at": local(tx.now)}
    return JSONResponse(body, headers=_NO_STORE)


@router.delete("/api/cases/{feedback_id}/draft", status_code=204, summary="Throw a draft away")
async def delete_draft(request: Request, person: Person, feedback_id: str) -> Response:
    """Also where there is none."""
    async with service_of(request, "desk").transaction() as tx:
        await writable(tx, person, feedback_id)
        drafts.delete(tx, feedback_id, person.username)
    return Response(status_code=204)


@router.post(
    "/api/cases/{feedback_id}/look",
    summary="What a reply lacks before it is sent",
    openapi_extra=described(Draft),
)
async def look(request: Request, person: Person, feedback_id: str) -> JSONResponse:
    """``{hints: [{code, text}]}``; none of them forbids anything, and nothing is kept. With
    ``?action=`` ``ask``, ``progress`` or ``reject``: of those words, in the field they have."""
    _, found = await looked_at(request, person, feedback_id)
    return JSONResponse({"hints": found}, headers=_NO_STORE)


async def looked_at(
    request: Request, person: Staff, feedback_id: str
) -> tuple[Draft, list[dict[str, Any]]]:
    """The reply, or the other words to a reporter, in the body of this request; and its hints."""
    raw = await read_body(request, late=True, multipart=True)
    context = view_context(request, person)
    async with service_of(request, "desk").transaction() as tx:
        row = await writable(tx, person, feedback_id, lock=False)
        values = raw.values()
        field = _FIELDS.get(request.query_params.get("action", ""))
        draft = checked(Draft, {"text": values.get(field, "")} if field else values)
    if field:
        return draft, hints_on_words(draft.text, context, english=reads_english(row.locale))
    return draft, hints_on_reply(draft, row, context)


def hints_on_reply(draft: Draft, row: CaseRow, context: ViewContext) -> list[dict[str, Any]]:
    """What a reply to the reporter of this case lacks."""
    return hints_on(
        draft.text,
        draft.rule,
        row.category,
        context,
        unanswered=store.case_of(row).open_parts,
        english=reads_english(row.locale),
    )


async def writable(
    tx: Transaction, person: Staff, feedback_id: str, *, lock: bool = True
) -> CaseRow:
    """The case, for whom it exists and who may write replies at all; `NotFound`, `Forbidden`."""
    if not is_id(feedback_id):
        raise NotFound()
    if lock:
        await tx.lock(feedback_id)
    await store.load(tx, [feedback_id])
    row, viewer = store.find(tx, feedback_id), viewer_of(person)
    if row is None or not sees(viewer, row):
        raise NotFound()
    if not any(_WRITES & permitted(who_is(actor)) for actor in viewer.actors):
        raise Forbidden("您的身份不写答复。", "Your role writes no replies.")
    return row
