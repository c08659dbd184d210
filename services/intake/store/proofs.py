"""Who shows that a mailbox is theirs sees all that was said from it.

Nothing about the mailbox is kept: what belongs together is found by the addresses of the comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.store.tables import ProofRow
from shared.messaging.transaction import Transaction

VALID = timedelta(hours=2)
"""A letter may take its time."""
AGAIN_AFTER = timedelta(minutes=10)
A_DAY = 3
"""Letters to one mailbox: whoever named it may not be its owner."""
SHOWN_FOR = timedelta(minutes=30)
"""In the browser in which the link was opened."""
MOST = 50
_LATELY = """
SELECT count(*) FILTER (WHERE p.feedback_id = $1 AND p.asked_at > $3) AS again, count(*) AS today
FROM submissions AS mine JOIN submissions AS s ON lower(s.email) = lower(mine.email)
JOIN proofs AS p ON p.feedback_id = s.feedback_id
WHERE mine.feedback_id = $1 AND NOT s.anonymous AND s.email IS NOT NULL AND p.asked_at > $2
"""
_USE = """
UPDATE proofs SET used_at = $2 WHERE proof_id = $1 AND used_at IS NULL AND expires_at > $2
RETURNING feedback_id
"""
_OF_THE_SAME = """
SELECT s.feedback_id, s.tracking_code, s.received_at, s.title, s.text
FROM submissions AS mine JOIN submissions AS s ON lower(s.email) = lower(mine.email)
WHERE mine.feedback_id = $1 AND NOT mine.anonymous
AND s.email IS NOT NULL AND NOT s.anonymous AND s.tracking_code <> ''
ORDER BY s.received_at DESC, s.feedback_id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Matter:
    """A comment, as its reporter finds it again."""

    feedback_id: str
    tracking_code: str
    received_at: datetime
    title: str
    text: str


async def ask(tx: Transaction, feedback_id: str, proof_id: str) -> datetime | None:
    """Note that somebody asks, for a comment that is locked; says until when they may answer.

    None where a letter went out just now, or enough of them today.
    """
    day, moment = tx.now - timedelta(days=1), tx.now - AGAIN_AFTER
    ((again, today),) = await tx.fetch(_LATELY, feedback_id, day, moment)
    if again or today >= A_DAY:
        return None
    rows, until = tx.rows(ProofRow), tx.now + VALID
    rows.insert(
        rows.new(proof_id=proof_id, feedback_id=feedback_id, asked_at=tx.now, expires_at=until)
    )
    return until


async def use(tx: Transaction, proof_id: str) -> str | None:
    """The comment that was asked about; None for what was used, or is too old. Once only."""
    found = await tx.fetch(_USE, proof_id, tx.now)
    return found[0]["feedback_id"] if found else None


async def of_the_same(tx: Transaction, feedback_id: str) -> list[Matter]:
    """All that was said with the address of this comment, the newest first; nothing anonymous."""
    return [Matter(**dict(row)) for row in await tx.fetch(_OF_THE_SAME, feedback_id, MOST)]
