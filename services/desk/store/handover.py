"""Cases of people who left, or moved to another department: back to where others see them."""

from __future__ import annotations

from sqlalchemy import text

from services.desk.domain import Action, ActionInput, advance
from services.desk.domain.promises import NOT_OPEN
from services.desk.store.cases import case_of, find, keep, load
from services.desk.store.people import NEEDS_DEPARTMENT
from services.desk.store.tables import PersonRow
from shared.contracts import SYSTEM
from shared.messaging.transaction import Transaction

_STRANDED = text(
    "SELECT c.feedback_id FROM cases c JOIN people p ON p.username = c.assignee "
    "WHERE c.next_due_at < :not_open AND (NOT p.active "
    "OR p.department IS DISTINCT FROM c.department OR NOT (p.role = ANY(:roles) "
    "OR jsonb_exists_any(p.roles, :roles))) "
    "ORDER BY c.next_due_at LIMIT 100"
)


async def stranded(tx: Transaction) -> list[str]:
    """Open cases whose handler cannot see them any more, the most urgent first."""
    values = {"not_open": NOT_OPEN, "roles": [str(role) for role in NEEDS_DEPARTMENT]}
    return list((await tx.connection.execute(_STRANDED, values)).scalars())


async def hand_back(tx: Transaction, feedback_id: str) -> bool:
    """Put a case back to its department; False where it is stranded no more."""
    await tx.lock(feedback_id)
    await load(tx, [feedback_id])
    row = find(tx, feedback_id)
    if row is None or row.assignee is None:
        return False
    person = await tx.session.get(PersonRow, row.assignee)
    if person is None or _works_there(person, row.department):
        return False
    reason = "moved" if person.active else "left"
    given = ActionInput(reason=reason)
    keep(tx, row, advance(case_of(row), Action.UNASSIGN, given, by=SYSTEM, at=tx.now))
    return True


def _works_there(person: PersonRow, department: str | None) -> bool:
    return (
        person.active
        and person.department == department
        and bool(person.all_roles & NEEDS_DEPARTMENT)
    )
