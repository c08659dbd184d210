"""Which cases are due. What that means for them is decided by `domain.cases.tick`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from shared.messaging.transaction import Transaction

# Cases that somebody else holds are passed over: their clocks may be changing at this moment. A
# case with dead letters is left alone: what is parked behind them may have kept the promise. The
# limit is inside, so that what is passed over does not count; one index range per partition.
_CLAIM = """
SELECT due.feedback_id, log.read_until
FROM unnest($1::int[], $2::timestamptz[]) AS log(partition, read_until)
CROSS JOIN LATERAL (
  SELECT s.feedback_id
  FROM clocks c JOIN streams s ON s.feedback_id = c.feedback_id
  WHERE c.partition = log.partition AND c.next_check_at <= log.read_until
    AND s.letters = 0
  ORDER BY c.next_check_at
  LIMIT $3
  FOR UPDATE OF s SKIP LOCKED
) AS due
"""
_LOOK = """
SELECT coalesce(bool_or(due.at <= log.read_until), false) AS held,
       coalesce(bool_or(due.at <= $3), false) AS late, min(upcoming.at) AS upcoming
FROM unnest($1::int[], $2::timestamptz[]) AS log(partition, read_until)
CROSS JOIN LATERAL (
  SELECT min(next_check_at) AS at FROM clocks WHERE partition = log.partition
) AS due
CROSS JOIN LATERAL (
  SELECT CASE WHEN due.at > $3 THEN due.at ELSE (
    SELECT min(next_check_at) FROM clocks
    WHERE partition = log.partition AND next_check_at > $3
  ) END AS at
) AS upcoming
"""

ReadUntil = Mapping[int, datetime]
"""Partition of the log → a moment; every event that was in it by then is processed."""


class Look(NamedTuple):
    """What the clocks of some partitions wait for."""

    held: bool
    """Something is due that can be marked, but for who holds it or what is parked before it."""
    late: bool
    """Something is due, perhaps where the log has not been read far enough."""
    upcoming: datetime | None
    """When something comes due next."""


async def claim_due(tx: Transaction, read_until: ReadUntil, limit: int) -> dict[str, datetime]:
    """Lock cases with a due clock that nobody else holds: id → until when it may be marked.

    At most `limit` of each partition, the longest due first. The clocks are read after this, by
    a statement that sees what the last holder wrote.
    """
    rows = await tx.fetch(_CLAIM, list(read_until), list(read_until.values()), limit)
    return {row["feedback_id"]: row["read_until"] for row in rows}


async def look(tx: Transaction, read_until: ReadUntil, now: datetime) -> Look:
    """What is due in these partitions, whoever holds it, and what comes next."""
    rows = await tx.fetch(_LOOK, list(read_until), list(read_until.values()), now)
    return Look(*rows[0])
