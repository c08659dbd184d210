"""The statements on an outbox: fetching by bytes, marking what was published, counting."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import fetch_row

RELAY_LOCK = 0x46_45_45_44
"""Session advisory lock of whoever may publish from a database."""
BATCH_ROWS = 500
BATCH_BYTES = 4 * 1024 * 1024
"""Bodies fetched at once at most; one row is fetched whatever its size."""

# A case with a refused row waits behind it; elsewhere the newest row of a key is all that counts.
READY = """
published_at IS NULL AND refused IS NULL AND (seq IS NULL OR key NOT IN
  (SELECT key FROM outbox WHERE refused IS NOT NULL AND seq IS NOT NULL))
"""
# One statement marks, and remembers the ends, so that nobody ever has to look for them.
MARK = """
marked AS (
  UPDATE outbox o SET published_at = now(), partition = m.partition, "offset" = m."offset",
         generation = (SELECT generation FROM log_state)
  FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS m(id, partition, "offset")
  WHERE o.id = m.id
  RETURNING o.topic, o.partition, o."offset", o.generation
), ends AS (
  INSERT INTO log_ends (generation, topic, partition, "offset")
  SELECT generation, topic, partition, max("offset") FROM marked GROUP BY 1, 2, 3
  ON CONFLICT (generation, topic, partition)
  DO UPDATE SET "offset" = greatest(log_ends."offset", EXCLUDED."offset")
)
"""
_MEASURE = f"""
SELECT count(*) FILTER (WHERE {READY}) AS waiting,
       coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE {READY})), 0) AS oldest,
       count(refused) AS refused,
       count(*) FILTER (WHERE refused IS NULL AND NOT ({READY})) AS held
FROM outbox WHERE published_at IS NULL
"""


def by_bytes(rows: str, order: str) -> str:
    """The first rows of the query `rows` whose bodies fit in `BATCH_BYTES`, at least one.

    `rows` has `body` and at most `BATCH_ROWS` rows. ``octet_length`` reads the length of a large
    body from its pointer; the body itself is read only for the rows that are returned.
    """
    window = f"OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING)"
    return f"""
SELECT * FROM (
  SELECT *, sum(coalesce(octet_length(body), 0)) {window} AS bytes, row_number() {window} AS nth
  FROM ({rows} LIMIT {BATCH_ROWS}) AS candidates
) AS sized WHERE bytes <= {BATCH_BYTES} OR nth = 1 ORDER BY {order}
"""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How an outbox stands: rows to send and the age of the oldest, rows set aside, rows behind."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    refused: int = 0
    held: int = 0


async def measure(engine: AsyncEngine) -> OutboxState:
    """The state of this database's outbox."""
    row = await fetch_row(engine, _MEASURE)
    return OutboxState(row["waiting"], float(row["oldest"]), row["refused"], row["held"])


async def is_relayed(engine: AsyncEngine) -> bool:
    """True while some process runs this service: its relay holds the lock of the database."""
    async with engine.connect() as connection:
        free = await connection.scalar(
            text("SELECT pg_try_advisory_lock(:key)"), {"key": RELAY_LOCK}
        )
        if free:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": RELAY_LOCK})
        return not free
