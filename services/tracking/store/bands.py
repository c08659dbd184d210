"""The bands of durations counted anew: what code that knows none of them wrote has none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.tracking.domain.bands import EDGES
from services.tracking.domain.counting import FILTERS
from services.tracking.domain.periods import NOW
from shared.db.engine import driver_of
from shared.moments import LOCAL

_DAY = f"date_trunc('day', met_at, '{LOCAL.key}')"
_SCOPES = ", ".join(
    ["('')", *(f"('{name}:' || replace({name}, ':', ';'))" for name in ("department", *FILTERS))]
)
RECOUNT = f"""
SELECT scope, clock, {_DAY} AS bucket, width_bucket(working_seconds, $1::int[]) AS band,
  count(*) AS n, sum(working_seconds) AS seconds
FROM durations, LATERAL (VALUES {_SCOPES}) AS s (scope) {{where}} GROUP BY 1, 2, 3, 4
"""
"""``$1`` are `EDGES`; `where` chooses durations."""
_DIFFERENT = f"""
SELECT bucket FROM
  (SELECT clock, bucket, sum(n) AS n, sum(seconds) AS seconds
   FROM duration_bands WHERE scope = '' GROUP BY 1, 2) AS kept
FULL JOIN
  (SELECT clock, {_DAY} AS bucket, count(*) AS n, sum(working_seconds) AS seconds
   FROM durations GROUP BY 1, 2) AS had USING (clock, bucket)
WHERE kept.n IS DISTINCT FROM had.n OR kept.seconds IS DISTINCT FROM had.seconds
GROUP BY bucket ORDER BY bucket
"""
_PATIENCE = 600


async def days_that_differ(connection: AsyncConnection) -> list[datetime]:
    """Days whose bands do not add up to the durations that stand there: usually none.

    One look at an index of them all: a second for three million. Both are written in the same
    transactions, and one statement sees both as they were at one moment.
    """
    rows = await driver_of(connection).fetch(_DIFFERENT, timeout=_PATIENCE)
    return [day for (day,) in rows]


async def count_anew(connection: AsyncConnection, day: datetime) -> None:
    """Count the bands of this day anew, in a transaction of its own.

    Whoever writes bands waits for it. What they add is of durations that this did not see, since
    they had not committed them.
    """
    driver = driver_of(connection)
    async with driver.transaction():
        # In the order in which a batch takes them.
        await driver.execute("LOCK TABLE changed_days, duration_bands IN SHARE ROW EXCLUSIVE MODE")
        await driver.execute("DELETE FROM duration_bands WHERE bucket = $1", day)
        where = "WHERE met_at >= $2 AND met_at < $2 + interval '1 day'"
        await driver.execute(
            "INSERT INTO duration_bands (scope, clock, bucket, band, n, seconds) "
            + RECOUNT.format(where=where),
            list(EDGES),
            day,
            timeout=_PATIENCE,
        )
        await driver.execute(
            "INSERT INTO changed_days AS t (day, times) VALUES ($1, 1), ($2, 1) "
            "ON CONFLICT (day) DO UPDATE SET times = t.times + 1",
            NOW,
            day,
        )
