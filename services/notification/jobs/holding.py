"""After a backup was restored: what waits to go to a reporter may have gone out since."""

from __future__ import annotations

from services.notification import ledger, store
from services.notification.deps import Deps
from services.notification.domain import PENDING, State
from services.notification.store import DeliveryRow
from shared.service import Restored, Service

HELD = (
    "messages to reporters that may have gone out or not: look at each, and send again what did "
    "not (POST /api/notification/deliveries/{id}/resend)"
)


async def hold_waiting(service: Service[Deps], restored: Restored) -> None:
    """Leave to a person what the log cannot say of; nothing goes out a second time by itself."""
    if restored.send_waiting:
        return
    async with service.transaction() as tx:
        waiting = await store.waiting_for_reporters(tx)
    for delivery, feedback_id in waiting:
        async with service.transaction() as tx:
            await tx.lock(feedback_id)
            await store.load(tx, [feedback_id])
            row = tx.rows(DeliveryRow).get(delivery)
            if row is not None and State(row.state) in PENDING:
                ledger.hold(tx, row)
                restored.missing.setdefault(HELD, set()).add(delivery)
