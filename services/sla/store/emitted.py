"""What sla emitted about a case's clocks: its own log is the history of every deadline."""

from __future__ import annotations

from shared.contracts.sla import ClockChange, SlaPromisesChanged
from shared.messaging.transaction import Transaction

_CHANGES = """
SELECT body FROM outbox
WHERE key = $1 AND seq IS NOT NULL AND headers ->> 'ce_type' = $2 ORDER BY seq
"""


async def changes_emitted(tx: Transaction, feedback_id: str) -> list[ClockChange]:
    """All that happened to the clocks of a case, in order."""
    rows = await tx.fetch(_CHANGES, feedback_id, SlaPromisesChanged.type)
    events = [SlaPromisesChanged.model_validate_json(row["body"]) for row in rows]
    return [change for event in events for change in event.changes]
