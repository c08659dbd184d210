"""Who was named in a note, until they have looked at the case."""

from __future__ import annotations

from collections.abc import Iterable

from services.desk.store.tables import MentionRow
from shared.messaging.transaction import Transaction


def add(tx: Transaction, feedback_id: str, usernames: Iterable[str]) -> None:
    """Put the case into the queue of each."""
    rows = tx.rows(MentionRow)
    for username in usernames:
        rows.upsert(rows.new(feedback_id=feedback_id, username=username, at=tx.now))


def seen(tx: Transaction, feedback_id: str, username: str) -> None:
    """They have looked."""
    tx.rows(MentionRow).delete(MentionRow(feedback_id=feedback_id, username=username, at=tx.now))
