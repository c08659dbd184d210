"""Entry point for people: what became of the messages of a case, and sending one again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.notification import ledger, store
from services.notification.deps import NAME, deps_of
from services.notification.domain import PENDING, RESENDABLE, State, staff_of
from services.notification.store import DeliveryRow, PrivateRow
from shared.contracts.refusal import Conflict, NotFound
from shared.moments import local
from shared.web.auth import Staff, service_of, with_role
from shared.web.pages import wants_html
from shared.web.permissions import Permission

router = APIRouter(prefix="/api/notification", tags=["notification"])

_ID = r"^[!-~]{1,64}$"


Reader = Annotated[Staff, Depends(with_role(Permission.READ_DELIVERIES))]
Decider = Annotated[Staff, Depends(with_role(Permission.SEND_AGAIN))]


@router.get("/deliveries")
async def list_deliveries(
    request: Request, person: Reader, feedback_id: Annotated[str, Query(pattern=_ID)]
) -> dict[str, Any]:
    """Who was sent what about a case, and what became of it. No address stands here."""
    async with service_of(request, NAME).transaction() as tx:
        await store.load(tx, [feedback_id])
        if store.case_of(tx, feedback_id) is None:
            raise NotFound
        rows = sorted(
            tx.rows(DeliveryRow).for_case(feedback_id), key=lambda r: (r.sort_key, r.turn)
        )
    return {"items": [_shown(row, person) for row in rows]}


@router.post("/deliveries/{delivery}/resend", response_model=None)
async def resend(
    request: Request, person: Decider, delivery: Annotated[str, Path(pattern=_ID)]
) -> dict[str, Any] | Response:
    """A person has looked, and wants it sent again; a browser is sent back to the case. Once more
    is the same as once, while it is on its way."""
    async with service_of(request, NAME).transaction() as tx:
        feedback_id = await store.find(tx, delivery)
        if feedback_id is None:
            raise NotFound
        await tx.lock(feedback_id)
        await store.load(tx, [feedback_id])
        row = tx.rows(DeliveryRow).get(delivery)
        # Pressed twice: it is on its way again.
        asked = row is not None and row.resent_by == person.username and row.state in PENDING
        if row is None or not (asked or State(row.state) in RESENDABLE):
            raise Conflict(
                "只有没发出去或不能确定的消息可以重发。",
                "Only a message that failed, or that nobody can be sure of, can be sent again.",
            )
        private = tx.rows(PrivateRow).get(feedback_id)
        if not deps_of(tx).address(row, private) or not row.rate_limit_key:
            raise Conflict(
                "没有可用的联系方式，请用其他办法告诉对方。",
                "There is no address to send it to; please reach the person some other way.",
            )
        if not asked:
            ledger.send_again(tx, row, person.username)
        shown = _shown(row, person)
    if wants_html(request):
        return RedirectResponse(f"/desk/cases/{feedback_id}?again=1", 303)
    return shown


def _shown(row: DeliveryRow, person: Staff) -> dict[str, Any]:
    may = person.may(Permission.SEND_AGAIN)
    may = may and State(row.state) in RESENDABLE and bool(row.rate_limit_key)
    return {
        "id": row.id,
        "kind": row.kind,
        "audience": "reporter" if staff_of(row.recipient) is None else "staff",
        "staff": staff_of(row.recipient),
        "channel": row.channel or "page",
        "state": row.state,
        "reason": row.reason,
        "attempts": row.attempts,
        "planned_at": local(row.planned_at),
        "tried_at": local(row.first_tried_at),
        "next_try_at": local(row.next_try_at),
        "finished_at": local(row.finished_at),
        "resent_by": row.resent_by,
        "may": ["resend"] if may else [],
    }
