"""What is confidential means nothing to search, likeness and surges, from the commit on."""

from __future__ import annotations

from shared.messaging.transaction import Transaction

_FORGET = """
WITH meant AS (DELETE FROM meanings WHERE feedback_id = ANY($1::text[]))
DELETE FROM case_matters WHERE feedback_id = ANY($1::text[])
"""


class Hushed:
    """The confidential cases that a transaction writes: what was kept of their meaning goes with
    it, whatever made them confidential. Who lifts it has them embedded and counted again."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._ids: set[str] = set()

    def note(self, feedback_id: str) -> None:
        """This case is confidential."""
        self._ids.add(feedback_id)

    async def flush(self) -> None:
        """Remove what they mean. They are locked, so that nobody is about to keep it."""
        if self._ids:
            await self._tx.fetch(_FORGET, sorted(self._ids))
            self._ids.clear()
