"""The rows of a case in a transaction."""

from __future__ import annotations

from collections.abc import Iterable

from services.notification.domain import Case, State
from services.notification.store.tables import CaseRow, DeliveryRow, PrivateRow
from shared.messaging.transaction import Transaction

LOADED = (CaseRow, PrivateRow, DeliveryRow)
"""What is read of a case whenever one is locked."""


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Bring the rows of these cases into the transaction."""
    await tx.load(feedback_ids, *LOADED)


def case_of(tx: Transaction, feedback_id: str) -> Case | None:
    """What is known of a case, if anything."""
    row = tx.rows(CaseRow).get(feedback_id)
    return None if row is None else Case.model_validate(row.known)


def keep_case(tx: Transaction, feedback_id: str, case: Case) -> None:
    """Remember it."""
    known = case.model_dump(mode="json", exclude_defaults=True)
    rows = tx.rows(CaseRow)
    rows.upsert(rows.new(feedback_id=feedback_id, known=known))


def in_state(rows: Iterable[DeliveryRow], *states: State) -> list[DeliveryRow]:
    """Those of the rows that are in one of `states`, in the order they were planned."""
    return sorted((r for r in rows if r.state in states), key=lambda r: r.sort_key)
