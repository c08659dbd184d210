"""Cases between a row and a value, and what a transaction writes about them."""

from __future__ import annotations

from functools import partial

from services.desk.domain import Case, Change
from services.desk.domain.promises import rank
from services.desk.store.tables import CaseRow, MessageRow
from shared.contracts import Actor, short_type
from shared.contracts.vocabulary import CaseType, Priority, State
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.observability.metrics import TRANSITIONS

_COPIED = (
    "department",
    "previous_department",
    "category",
    "decided",
    "confidential",
    "assignee",
    "assignee_name",
    "binding",
    "cycle",
    "reopened",
    "replied_at",
    "waiting_since",
    "version",
)


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Read the rows that handlers and doors need, once for all these cases."""
    await tx.shelf(CaseRow).load(feedback_ids)


def find(tx: Transaction, feedback_id: str) -> CaseRow | None:
    """The row of a loaded case."""
    return tx.shelf(CaseRow).get(feedback_id)


def case_of(row: CaseRow) -> Case:
    """The case as the domain sees it."""
    return Case(
        feedback_id=row.feedback_id,
        state=State(row.state),
        case_type=CaseType(row.case_type) if row.case_type else None,
        priority=Priority(row.priority) if row.priority else None,
        confidence_asked=row.confidence_asked,
        anonymous=row.anonymous,
        entered_by=row.entered_by,
        returned_by=tuple(row.returned_by),
        **{name: getattr(row, name) for name in _COPIED},
    )


def keep(tx: Transaction, row: CaseRow, change: Change) -> None:
    """Write the case as it is after `change`, and tell its facts."""
    case = change.case
    # Rows of a shelf belong to no session: their values are set without its bookkeeping.
    row.__dict__.update(
        state=str(case.state),
        case_type=str(case.case_type) if case.case_type else None,
        priority=str(case.priority) if case.priority else None,
        returned_by=list(case.returned_by),
        **{name: getattr(case, name) for name in _COPIED},
    )
    put(tx, row)
    for event in change.events:
        tx.emit(event)
        tx.after_commit(partial(_count, short_type(event.type)))


def put(tx: Transaction, row: CaseRow) -> None:
    """Write the row, in its place in the queues."""
    row.__dict__["breaks_at"] = rank(State(row.state), row.promises, row.received_at)
    tx.shelf(CaseRow).put(row)


def write(
    tx: Transaction,
    feedback_id: str,
    kind: str,
    text: str,
    *,
    by: Actor | None = None,
    outcome: str | None = None,
    words_id: str | None = None,
) -> None:
    """Keep what somebody wrote in a case."""
    shelf = tx.shelf(MessageRow)
    shelf.add(
        shelf.make(
            message_id=new_id(),
            feedback_id=feedback_id,
            kind=kind,
            at=tx.now,
            by=(by.display or by.name) if by else None,
            text=text,
            outcome=outcome,
            words_id=words_id,
        )
    )


def _count(kind: str) -> None:
    TRANSITIONS.labels(kind).inc()
