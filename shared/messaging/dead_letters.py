"""Where a fact goes that can never be taken in, and how it comes back.

The letter keeps the original bytes. Later facts of the same case are parked behind it in order,
so that nothing is applied past a hole; `redrive` replays them once the cause is mended.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging.envelope import Record
from shared.messaging.transaction import Transaction

_BURY = """
INSERT INTO dead_letters
  (ce_id, feedback_id, topic, partition, "offset", key, headers, body, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (ce_id) DO NOTHING
"""


@dataclass(frozen=True)
class Redriven:
    """What became of one letter: taken in, or still refused with `error`."""

    ce_id: str | None
    type: str
    error: str | None


async def bury(tx: Transaction, record: Record, error: str | None) -> None:
    """Keep `record`; without an `error` it is only parked behind an earlier letter."""
    await tx.connection.exec_driver_sql(
        _BURY,
        (
            record.ce_id,
            record.feedback_id,
            record.topic,
            record.partition,
            record.offset,
            record.key,
            json.dumps(record.headers),
            record.body,
            None if error is None else error[:2000],
        ),
    )


async def count(engine: AsyncEngine) -> tuple[int, int]:
    """How many facts were refused, and how many are parked behind them."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT count(error), count(*) - count(error) FROM dead_letters")
            )
        ).one()
    return int(row[0]), int(row[1])


async def redrive(
    open_transaction: Callable[[], object],
    apply: Callable[[Transaction, Record], Awaitable[None]],
    feedback_id: str,
) -> AsyncIterator[Redriven]:
    """Try the letters of a case again, oldest first; stops at the first that is still refused.

    `open_transaction` opens a unit of work; `apply` takes one record in (inbox included).
    """
    while True:
        error: str | None = None
        async with open_transaction() as tx:  # type: ignore[attr-defined]
            await tx.lock(feedback_id)
            row = (
                await tx.connection.execute(
                    text(
                        'SELECT id, topic, partition, "offset", key, headers, body '
                        "FROM dead_letters WHERE feedback_id = :case ORDER BY id LIMIT 1"
                    ),
                    {"case": feedback_id},
                )
            ).first()
            if row is None:
                return
            record = Record(
                topic=row.topic,
                partition=row.partition,
                offset=row.offset,
                key=row.key,
                headers=row.headers,
                body=row.body,
            )
            try:
                async with tx.connection.begin_nested():
                    await apply(tx, record)
                    await tx.flush()
            except Exception as failure:
                # Whatever it is, it is the answer the person at the keyboard is waiting for.
                error = f"{type(failure).__name__}: {failure}"[:2000]
            if error is None:
                await tx.connection.execute(
                    text("DELETE FROM dead_letters WHERE id = :id"), {"id": row.id}
                )
        yield Redriven(record.ce_id, record.type, error)
        if error is not None:
            return
