"""What notification makes of its own events when its ledger has lost them."""

from __future__ import annotations

from services.notification import ledger
from services.notification.domain import says_by_when
from services.notification.store import DeliveryRow, case_of, keep_case, load
from shared.contracts import Event
from shared.contracts.notification import (
    DeliveryEvent,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    ReportMailed,
)
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction


async def recollect_outcome(event: DeliveryEvent, tx: Transaction) -> None:
    """What became of a delivery; with a receipt, that its date was read."""
    assert tx.cause is not None
    row = tx.rows(DeliveryRow).get(event.delivery_id)
    dated = says_by_when(event.kind, row.params if row is not None else {})
    ledger.remember(tx, row, event, tx.cause.headers)
    case = case_of(tx, event.feedback_id)
    read = isinstance(event, NotificationSent) and dated
    if read and event.audience == "reporter" and case is not None:
        keep_case(tx, event.feedback_id, case.model_copy(update={"announced_due": case.due}))


async def recollect_mailed(event: ReportMailed, tx: Transaction) -> None:
    """What became of the mail with a report."""
    await tx.lock(event.report_id)
    await load(tx, [event.report_id])
    ledger.remember_mailed(tx, tx.rows(DeliveryRow).get(event.delivery_id), event)


OWN: dict[type[Event], Handler] = {
    **dict.fromkeys(
        (NotificationSent, NotificationFailed, NotificationSuppressed), recollect_outcome
    ),
    ReportMailed: recollect_mailed,
}
