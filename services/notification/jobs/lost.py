"""Deliveries that nobody will finish: interrupted ones, and those whose contact never came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from services.notification import domain, ledger, store
from services.notification.deps import Deps
from services.notification.domain import Case, State
from services.notification.ledger import planning
from services.notification.store import DeliveryRow, PrivateRow, case_of
from shared.messaging.transaction import Transaction
from shared.service import Service

LEASE = timedelta(minutes=2)
"""Longer than any transport takes: after it nobody can still be sending."""


class LostDeliveries:
    """Finds them and says what became of them."""

    def __init__(self, service: Service[Deps], deps: Deps) -> None:
        self._service, self._deps = service, deps

    async def give_up_interrupted(
        self, *, besides: Iterable[str] = (), since_start: bool = False
    ) -> None:
        """What somebody began to send and never finished is left to a person."""
        now = self._service.runtime.clock.now()
        async with self._service.transaction() as tx:
            lost = await store.interrupted(
                tx, worker=self._deps.worker, since_start=since_start, now=now, besides=besides
            )
        for delivery, feedback_id in lost:
            await self._change(delivery, feedback_id, State.SENDING, _interrupted)

    async def give_up_contacts(self) -> None:
        """What waits for a contact that will not come."""
        before = self._service.runtime.clock.now() - domain.CONTACT_WITHIN
        async with self._service.transaction() as tx:
            lost = await store.without_contact(tx, before)
        for delivery, feedback_id in lost:
            await self._change(delivery, feedback_id, State.AWAITING_CONTACT, _no_contact)

    async def _change(
        self,
        delivery: str,
        feedback_id: str,
        state: State,
        change: Callable[[Transaction, DeliveryRow], None],
    ) -> None:
        async with self._service.transaction() as tx:
            await tx.lock(feedback_id)
            await store.load(tx, [feedback_id])
            row = tx.rows(DeliveryRow).get(delivery)
            if row is not None and row.state == state:
                change(tx, row)


def _interrupted(tx: Transaction, row: DeliveryRow) -> None:
    ledger.leave_to_a_person(tx, row, domain.INTERRUPTED)
    planning.tell_unreached(tx, row)


def _no_contact(tx: Transaction, row: DeliveryRow) -> None:
    private = tx.rows(PrivateRow).get(row.feedback_id)
    if private is None:
        ledger.fail(tx, row, domain.NO_CONTACT_CAME)
        planning.tell_unreached(tx, row)
        return
    # It is the words that never came: masked ones are better than none.
    row.params = {k: v for k, v in row.params.items() if k != "words_id"}
    planning.release(tx, row, case_of(tx, row.feedback_id) or Case(), private)
