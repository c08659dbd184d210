"""What people did with a case says where it belonged: labels, to learn from and to be judged by."""

from __future__ import annotations

from typing import Any

from services.routing import store
from services.routing.domain.model import NOT_OURS
from services.routing.store import LabelRow
from shared.contracts import Event
from shared.contracts.desk import (
    CaseCorrected,
    CaseDispatched,
    CaseMarkedAsSpam,
    CaseRecalled,
    CaseRejected,
    CaseReplied,
    CaseRestored,
    CaseReturned,
)
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction


async def dispatched(event: CaseDispatched, tx: Transaction) -> None:
    """A person sent it there."""
    _label(tx, event, event.department, "dispatched", **_about(event), outcome=None)


async def corrected(event: CaseCorrected, tx: Transaction) -> None:
    """A person said what it is about; whose it is, too, where it lies with somebody."""
    known = store.label_of(tx, event.feedback_id)
    owner = NOT_OURS if event.category == NOT_OURS else event.department
    if owner is None and known is not None:
        owner = known.department
    if owner is not None:
        _label(tx, event, owner, "corrected", **_about(event))


async def answered(event: CaseReplied, tx: Transaction) -> None:
    """The department that answers it was the right one. What the office answers says nothing."""
    decided = store.label_of(tx, event.feedback_id) or store.decision_of(tx, event.feedback_id)
    if event.department is None or decided is None:
        return
    more = {name: getattr(decided, name) for name in ("category", "case_type", "priority")}
    _label(tx, event, event.department, "answered", **more, outcome=str(event.outcome))


async def refused(event: CaseRejected, tx: Transaction) -> None:
    """It belongs to somebody else of the university, where the reporter was told to whom."""
    decided = store.decision_of(tx, event.feedback_id)
    if event.instead and decided is not None:
        more = {"case_type": decided.case_type, "priority": decided.priority}
        _label(tx, event, NOT_OURS, "refused", category=NOT_OURS, **more, outcome=None)


async def unsaid(
    event: CaseReturned | CaseRecalled | CaseRestored | CaseMarkedAsSpam, tx: Transaction
) -> None:
    """What was said of it before does not hold any more."""
    known = store.label_of(tx, event.feedback_id)
    if known is not None:
        tx.rows(LabelRow).delete(known)


def _about(event: CaseDispatched | CaseCorrected) -> dict[str, Any]:
    return {
        "category": event.category,
        "case_type": event.case_type.value,
        "priority": event.priority.value,
    }


def _label(tx: Transaction, event: Event, owner: str, how: str, **more: Any) -> None:
    rows = tx.rows(LabelRow)
    known = rows.get(event.feedback_id)
    outcome = {"outcome": known.outcome if known else None}
    rows.upsert(
        rows.new(
            feedback_id=event.feedback_id, at=event.at, department=owner, how=how, **outcome | more
        )
    )


LABELS: dict[type[Event], Handler] = {
    CaseDispatched: dispatched,
    CaseCorrected: corrected,
    CaseReplied: answered,
    CaseRejected: refused,
    CaseReturned: unsaid,
    CaseRecalled: unsaid,
    CaseRestored: unsaid,
    CaseMarkedAsSpam: unsaid,
}
