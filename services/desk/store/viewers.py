"""Who looks at a case, or writes in it, now: short-lived marks that all desk processes share.

Nothing depends on them. The table is not logged: after a crash of the database it is empty, and
the next beat of each page fills it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.messaging.transaction import Transaction

LIFE = timedelta(seconds=25)
"""After the last beat of a page; pages beat every ten seconds."""
_BEAT = """
INSERT INTO viewers (feedback_id, username, writing, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (feedback_id, username)
DO UPDATE SET writing = EXCLUDED.writing, seen_at = EXCLUDED.seen_at
"""
_OTHERS = """
SELECT username, writing FROM viewers
WHERE feedback_id = $1 AND username <> $2 AND seen_at > $3 ORDER BY NOT writing, username
"""
_FORGET = "DELETE FROM viewers WHERE seen_at <= $1"


@dataclass(frozen=True, slots=True)
class Viewing:
    """Somebody who looks at a case."""

    username: str
    writing: bool


async def beat(tx: Transaction, feedback_id: str, username: str, *, writing: bool) -> None:
    """This person has the case before them."""
    await tx.fetch(_BEAT, feedback_id, username, writing, tx.now)


async def others(tx: Transaction, feedback_id: str, username: str) -> list[Viewing]:
    """Who else has it before them; who writes comes first."""
    rows = await tx.fetch(_OTHERS, feedback_id, username, tx.now - LIFE)
    return [Viewing(row["username"], row["writing"]) for row in rows]


async def forget_old(tx: Transaction) -> None:
    """Remove the marks of those who have gone."""
    await tx.fetch(_FORGET, tx.now - LIFE)
