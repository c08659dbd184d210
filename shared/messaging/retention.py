"""What an outbox keeps: all that a new log has to be made from, and nothing else.

A published row of ``feedback.events`` is kept for ever, as the topic is; one of a compacted topic
until a newer row with its key is published, as compaction does, a tombstone of the directory for a
month; one of ``feedback.inbound.rejected`` as long as the topic keeps it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from shared.contracts import DIRECTORY, INBOUND_REJECTED, PRIVATE
from shared.contracts.intake import PrivateErased
from shared.messaging.topics import A_MONTH_MS, TOPICS

if TYPE_CHECKING:
    from shared.messaging.transaction import Transaction

_AT_ONCE = 1_000
"""Rows deleted in one transaction: the relay waits meanwhile."""
_COMPACTED = [t for t, c in TOPICS.items() if c["cleanup.policy"] == "compact"]

# Walks the keys of `outbox_keys` once; `lead` is the next row of the same key.
_OVERTAKEN = """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM (
    SELECT id, published_at,
           lead(published_at) OVER (PARTITION BY topic, key ORDER BY id) AS newer
    FROM outbox WHERE seq IS NULL AND topic = ANY($1::text[])
  ) AS versions
  WHERE published_at IS NOT NULL AND newer IS NOT NULL LIMIT $2)
"""
_EXPIRED = """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox
  WHERE seq IS NULL AND topic = $1 AND published_at < now() - $2::interval LIMIT $3)
"""
# What they removed is gone, and readers that were away for a month read the whole directory.
_TOMBSTONES = """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox WHERE seq IS NULL AND topic = $1 AND body IS NULL
    AND published_at < now() - $2::interval LIMIT $3)
"""
_FORGET = """
UPDATE outbox SET body = NULL, headers = headers || jsonb_build_object('ce_type', $3::text)
WHERE seq IS NULL AND topic = $1 AND body IS NOT NULL
  AND (key = $2 OR starts_with(key, $2 || '/') AND NOT starts_with(key, $2 || '/erased/'))
"""


async def prune(connection: asyncpg.Connection) -> int:
    """Delete what compaction or retention has made worthless; gives the number of rows."""
    deleted = 0
    for statement, values in (
        (_OVERTAKEN, (_COMPACTED,)),
        (_EXPIRED, (INBOUND_REJECTED, timedelta(milliseconds=A_MONTH_MS))),
        (_TOMBSTONES, (DIRECTORY, timedelta(milliseconds=A_MONTH_MS))),
    ):
        while True:
            done = await connection.execute(statement, *values, _AT_ONCE)
            count = int(done.rpartition(" ")[2])
            deleted += count
            if count < _AT_ONCE:
                break
            await asyncio.sleep(0)
    return deleted


async def forget(tx: Transaction, feedback_id: str) -> None:
    """Make tombstones of all this service ever wrote to ``feedback.private`` about a case.

    Published or not, refused or not: neither the relay nor `restore_log` brings a person back.
    The tombstones for the log itself are emitted by the caller, in the same transaction.
    """
    await tx.fetch(_FORGET, PRIVATE, feedback_id, PrivateErased.type)
