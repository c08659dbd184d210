"""What a service does not wait for any more, because an operator said so.

One event that is refused again and again, or numbers of a source that never come. It is written
down beside what is made of the log, so that who reads the log anew remembers it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging.envelope import Record
from shared.messaging.transaction import Transaction

_PASS_OVER = """
INSERT INTO passed_over
  (feedback_id, source, first, last, ce_id, type, topic, partition, "offset", reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_KNOWN = """
SELECT FROM passed_over WHERE feedback_id = $1
AND (($2::int IS NULL AND ce_id = $3) OR (source = $4 AND $2 BETWEEN first AND last))
"""
_NUMBERS = """
SELECT first, last FROM passed_over
WHERE feedback_id = $1 AND source = $2 AND last >= $3 ORDER BY first
"""
_LISTED = text("""
SELECT feedback_id, ce_id AS event, type, source, first, last, topic, partition, "offset", at,
  reason
FROM passed_over WHERE CAST(:case AS text) IS NULL OR feedback_id = :case ORDER BY id
""")
NEVER_CAME = "never came"


async def pass_over(tx: Transaction, record: Record, reason: str) -> None:
    """Do without this event of a locked case; `reason` is why it was refused."""
    number = record.sequence
    await tx.fetch(
        _PASS_OVER,
        record.feedback_id,
        record.source,
        number,
        number,
        record.ce_id,
        record.type,
        record.topic,
        record.partition,
        record.offset,
        reason,
    )


async def pass_gap(tx: Transaction, feedback_id: str, source: str, missing: range) -> None:
    """Do without these numbers of `source`, of a locked case."""
    first, last = missing.start, missing.stop - 1
    nowhere = (None,) * 5
    await tx.fetch(_PASS_OVER, feedback_id, source, first, last, *nowhere, NEVER_CAME)


async def is_passed_over(tx: Transaction, record: Record) -> bool:
    """Whether nobody waits for this event of a locked case: asked when it was refused."""
    if record.feedback_id is None:
        return False
    known = (record.feedback_id, record.sequence, record.ce_id, record.source)
    return bool(await tx.fetch(_KNOWN, *known))


async def next_awaited(tx: Transaction, feedback_id: str, source: str, number: int) -> int:
    """`number`, or the first after it that the case waits for."""
    for row in await tx.fetch(_NUMBERS, feedback_id, source, number):
        number = row["last"] + 1 if row["first"] <= number <= row["last"] else number
    return number


async def listed(engine: AsyncEngine, feedback_id: str | None = None) -> list[dict[str, Any]]:
    """All that was passed over, or of a case, oldest first: ``{feedback_id, event, type, source,
    first, last, topic, partition, offset, at, reason}``, of numbers that never came without event,
    type and place."""
    async with engine.connect() as connection:
        found = await connection.execute(_LISTED, {"case": feedback_id})
        return [dict(row) for row in found.mappings()]
