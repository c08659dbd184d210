"""Replies that are being written, each seen by its writer alone."""

from __future__ import annotations

from services.desk.store.tables import DraftRow
from shared.messaging.transaction import Transaction


def keep(
    tx: Transaction,
    feedback_id: str,
    username: str,
    text: str,
    outcome: str | None,
    rule: str | None,
) -> None:
    """Keep what somebody has written so far, in the place of what they had before."""
    rows = tx.rows(DraftRow)
    rows.upsert(
        rows.new(
            feedback_id=feedback_id,
            username=username,
            text=text,
            outcome=outcome,
            rule=rule,
            saved_at=tx.now,
        )
    )


def delete(tx: Transaction, feedback_id: str, username: str) -> None:
    """Forget it: it was sent, or thrown away."""
    tx.rows(DraftRow).delete(DraftRow(feedback_id=feedback_id, username=username))
