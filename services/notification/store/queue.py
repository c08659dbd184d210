"""What waits in the ledger, and what was left lying."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.notification.domain.timing import BY_DAY
from services.notification.store.tables import PENDING_SQL, WAITING_SQL
from shared.contracts import EVENTS
from shared.messaging.transaction import Transaction

# What fails as a whole: the mail server, or one official account.
_TRANSPORT = "CASE WHEN {0} LIKE 'email:%' THEN 'email' ELSE {0} END"
# Until the morning; of words, until more of them are said.
_MAY_WAIT = ", ".join(f"'{kind}'" for kind in sorted(BY_DAY | {"news"}))
_HELD = f"e.kind IN ({_MAY_WAIT}) AND e.attempts = 0 AND e.next_try_at > $1"
# The first few of every rate limit key that is not full, without a scan of all that wait:
# a step per key. A delivery waits while an earlier one of the same case to the same recipient is
# on its way; one that is held is not.
_NEXT_DUE = f"""
WITH RECURSIVE keys (key) AS (
  (SELECT rate_limit_key FROM deliveries WHERE {WAITING_SQL} ORDER BY rate_limit_key LIMIT 1)
  UNION ALL
  SELECT (SELECT d.rate_limit_key FROM deliveries d
          WHERE d.{WAITING_SQL} AND d.rate_limit_key > keys.key
          ORDER BY d.rate_limit_key LIMIT 1)
  FROM keys WHERE keys.key IS NOT NULL
)
SELECT h.id, h.feedback_id, h.rate_limit_key, h.receiver
FROM keys CROSS JOIN LATERAL (
  SELECT id, feedback_id, rate_limit_key, receiver, next_try_at, sort_key FROM deliveries d
  WHERE d.{WAITING_SQL} AND d.rate_limit_key = keys.key AND d.next_try_at <= $1
    AND d.receiver <> ALL($2::text[])
    AND NOT EXISTS (
      SELECT 1 FROM deliveries e WHERE e.feedback_id = d.feedback_id
        AND e.recipient = d.recipient AND e.{PENDING_SQL} AND e.sort_key < d.sort_key
        AND NOT coalesce({_HELD}, false))
  ORDER BY d.next_try_at, d.sort_key LIMIT $3
) h
WHERE keys.key IS NOT NULL AND keys.key <> ALL($4::text[])
  AND {_TRANSPORT.format("keys.key")} <> ALL($5::text[])
ORDER BY h.next_try_at, h.sort_key LIMIT 200
"""
_LOCK_FREE = """
SELECT feedback_id FROM streams WHERE feedback_id = ANY($1::text[])
ORDER BY feedback_id FOR UPDATE SKIP LOCKED
"""


async def next_due(
    tx: Transaction,
    *,
    now: datetime,
    busy: Iterable[str],
    per_key: int,
    full_keys: Iterable[str],
    full_transports: Iterable[str],
) -> list[tuple[str, str, str, str]]:
    """Due deliveries as ``(id, case, key, receiver)``, a few of every key that is not full."""
    result: Iterable[Any] = await tx.connection.exec_driver_sql(
        _NEXT_DUE, (now, list(busy), per_key, list(full_keys), list(full_transports))
    )
    return [(r[0], r[1], r[2], r[3]) for r in result]


async def lock_free_cases(tx: Transaction, feedback_ids: Iterable[str]) -> list[str]:
    """Lock those of these cases that nobody works on; the others are found again soon."""
    wanted = sorted(set(feedback_ids))
    result: Iterable[Any] = await tx.connection.exec_driver_sql(_LOCK_FREE, (wanted,))
    free = [feedback_id for (feedback_id,) in result]
    await tx.lock(*free)
    return free


async def receipts_since(tx: Transaction, receiver: str, since: datetime, besides: str) -> int:
    """Receipts that went, or may have gone, to this receiver; others wait until we commit."""
    await tx.connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:r, 0))"), {"r": receiver}
    )
    found = await tx.connection.execute(
        text(
            "SELECT count(*) FROM deliveries WHERE kind = 'receipt' AND receiver = :r "
            "AND first_tried_at > :since AND state <> 'suppressed' AND id <> :id"
        ),
        {"r": receiver, "since": since, "id": besides},
    )
    return int(found.scalar_one())


async def next_due_at(tx: Transaction, *, full_transports: Iterable[str] = ()) -> datetime | None:
    """When the next waiting delivery wants to go, through a transport that is not full."""
    found = await tx.connection.execute(
        text(
            f"SELECT min(next_try_at) FROM deliveries WHERE {WAITING_SQL} "
            f"AND {_TRANSPORT.format('rate_limit_key')} <> ALL(CAST(:full AS text[]))"
        ),
        {"full": list(full_transports)},
    )
    moment_due: datetime | None = found.scalar_one()
    return moment_due


async def interrupted(
    tx: Transaction, *, worker: str, since_start: bool, now: datetime, besides: Iterable[str]
) -> list[tuple[str, str]]:
    """``(id, case)`` of deliveries that somebody began to send and never finished."""
    found = await tx.connection.execute(
        text(
            "SELECT id, feedback_id FROM deliveries WHERE state = 'sending' "
            "AND ((:start AND worker = :worker) OR lease_until < :now) "
            "AND id <> ALL(CAST(:besides AS text[])) ORDER BY id LIMIT 500"
        ),
        {"start": since_start, "worker": worker, "now": now, "besides": list(besides)},
    )
    return [(r.id, r.feedback_id) for r in found]


async def waiting_for_reporters(tx: Transaction) -> list[tuple[str, str]]:
    """``(id, case)`` of all that has not gone out to a reporter, as far as is known here."""
    found = await tx.fetch(
        "SELECT id, feedback_id FROM deliveries "
        f"WHERE recipient = 'reporter' AND {PENDING_SQL} ORDER BY id"
    )
    return [(r["id"], r["feedback_id"]) for r in found]


async def without_contact(tx: Transaction, before: datetime) -> list[tuple[str, str]]:
    """``(id, case)`` of deliveries whose contact was announced and never came."""
    found = await tx.connection.execute(
        text(
            "SELECT id, feedback_id FROM deliveries WHERE state = 'awaiting_contact' "
            "AND planned_at < :before ORDER BY id LIMIT 500"
        ),
        {"before": before},
    )
    return [(r.id, r.feedback_id) for r in found]


async def emitted_up_to(tx: Transaction) -> dict[int, int]:
    """Partition of ``feedback.events`` → the highest offset this service knows it wrote."""
    found = await tx.fetch(
        'SELECT partition, "offset" FROM log_ends WHERE topic = $1 '
        "AND generation = (SELECT generation FROM log_state)",
        EVENTS,
    )
    return {row["partition"]: row["offset"] for row in found}


async def find(tx: Transaction, delivery: str) -> str | None:
    """The case of a delivery."""
    found = await tx.connection.execute(
        text("SELECT feedback_id FROM deliveries WHERE id = :id"), {"id": delivery}
    )
    case: str | None = found.scalar_one_or_none()
    return case
