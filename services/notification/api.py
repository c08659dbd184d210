"""The door for people: what became of the messages of a case, and sending one again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request

from services.notification import ledger, store
from services.notification.domain import RESENDABLE, State, staff_of
from services.notification.store import DeliveryRow, PrivateRow
from shared.contracts.refusal import Conflict, Forbidden, NotFound
from shared.contracts.vocabulary import Role
from shared.web.auth import Staff, service_of, staff

router = APIRouter(prefix="/api/notification", tags=["notification"])

READERS = frozenset({Role.COORDINATOR, Role.AUDITOR, Role.LEADER})
DECIDERS = frozenset({Role.COORDINATOR})
_ID = r"^[!-~]{1,64}$"
_LOCAL = ZoneInfo("Asia/Shanghai")


def _one_of(roles: frozenset[Role]) -> Callable[[Request], Staff]:
    def allowed(request: Request) -> Staff:
        person = staff(request)
        if person.role not in roles:
            raise Forbidden(
                "您的角色不能查看或重发通知。", "Your role may not see or resend messages."
            )
        return person

    return allowed


Reader = Annotated[Staff, Depends(_one_of(READERS))]
Decider = Annotated[Staff, Depends(_one_of(DECIDERS))]


@router.get("/deliveries")
async def list_deliveries(
    request: Request, person: Reader, feedback_id: Annotated[str, Query(pattern=_ID)]
) -> dict[str, Any]:
    """Who was told what about a case, and what became of it. No address stands here."""
    async with service_of(request, "notification").transaction() as tx:
        await store.load(tx, [feedback_id])
        if store.case_of(tx, feedback_id) is None:
            raise NotFound
        rows = sorted(tx.shelf(DeliveryRow).of(feedback_id), key=lambda r: (r.place, r.turn))
    return {"items": [_shown(row, person) for row in rows]}


@router.post("/deliveries/{delivery}/resend")
async def resend(
    request: Request, person: Decider, delivery: Annotated[str, Path(pattern=_ID)]
) -> dict[str, Any]:
    """A person has looked, and wants it sent again."""
    async with service_of(request, "notification").transaction() as tx:
        feedback_id = await store.find(tx, delivery)
        if feedback_id is None:
            raise NotFound
        await tx.lock(feedback_id)
        await store.load(tx, [feedback_id])
        row = tx.shelf(DeliveryRow).get(delivery)
        if row is None or State(row.state) not in RESENDABLE:
            raise Conflict(
                "只有没发出去或不能确定的消息可以重发。",
                "Only a message that failed, or that nobody can be sure of, can be sent again.",
            )
        private = tx.shelf(PrivateRow).get(feedback_id)
        if not tx.tools.address(row, private) or not row.lane:
            raise Conflict(
                "没有可用的联系方式，请用其他办法告诉对方。",
                "There is no address to send it to; please reach the person some other way.",
            )
        ledger.send_again(tx, row, person.username)
        return _shown(row, person)


def _shown(row: DeliveryRow, person: Staff) -> dict[str, Any]:
    may = State(row.state) in RESENDABLE and person.role in DECIDERS and bool(row.lane)
    return {
        "id": row.id,
        "kind": row.kind,
        "audience": "reporter" if staff_of(row.recipient) is None else "staff",
        "staff": staff_of(row.recipient),
        "channel": row.channel or "page",
        "state": row.state,
        "reason": row.reason,
        "attempts": row.attempts,
        "planned_at": _at(row.planned_at),
        "tried_at": _at(row.first_tried_at),
        "next_try_at": _at(row.next_try_at),
        "finished_at": _at(row.finished_at),
        "resent_by": row.resent_by,
        "may": ["resend"] if may else [],
    }


def _at(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(_LOCAL).isoformat()
