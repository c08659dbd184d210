"""Many cases of all kinds in tracking's database, as if they had come in over fourteen months.

Six weeks of them are made in SQL and counted by the statement that a test holds the kept sums
against. The other months are these six weeks again, with ids of their own: what a case adds to the
sums moves with it by whole weeks, so the sums of the copies are those of the six weeks, moved. A
test holds them against the same statement. Flows have no part in it, as they have none in that
statement.
"""

from __future__ import annotations

from datetime import datetime

import asyncpg

from services.tracking.domain.bands import EDGES
from services.tracking.domain.periods import day_of
from services.tracking.store.bands import RECOUNT
from shared.clock import SystemClock
from shared.db.address import Address
from tests.benchmarks.seeding import without_indexes
from tests.service.tracking.recount import SCOPES, recount

WEEKS, TIMES = 6, 10
DAYS = WEEKS * 7 * TIMES
OPEN = 300
"""So many are open, however many there were."""
_FILLED = ("cases", "durations", "occurrences", "counters", "duration_bands")
_SINGLES = (
    "''",
    *(
        f"'{name}:' || split_part(scope, ':', {n})"
        for n, name in enumerate(("category", "channel", "priority", "reporter_group"), 2)
    ),
)
"""The other scopes, as SQL over a cell: added up from the cells in a tenth of the time."""

_CASES = """
INSERT INTO cases (feedback_id, code_hash, seq, state, received_at, channel, locale, title,
  category, priority, department, reporter_group, dispatches, returns, reopenings,
  first_dispatched_at, first_replied_at, replied_at, rated_at, rights, stars, solved, promises,
  due_at, first_due_at, overdue, resolution_overdue, outcome, confidential)
SELECT gen_random_uuid()::text, md5('bench' || open || i || ' ' || copy), 9,
  CASE WHEN open THEN 'IN_PROGRESS' ELSE 'CLOSED' END, at,
  (ARRAY['web','web','web','wechat','wechat','desk','email','phone'])[1+h%8],
  'zh', '占座', (ARRAY['seats','offcampus','facilities','circulation','eresources','systems',
    'printing','rules','entry','events'])[1 + least(9, (h / 7) % 14)],
  (ARRAY['P3','P3','P3','P3','P2','P4'])[1 + (h / 11) % 6],
  (ARRAY['space','it','facilities','circulation','eresources','it','space','office','desk',
    'events'])[1 + least(9, (h / 7) % 14)],
  (ARRAY['students','students','students','teachers','visitors','alumni'])[1 + (h / 13) % 6],
  1, (h % 17 = 0)::int, (h % 19 = 0)::int, at + took * 0.1,
  CASE WHEN NOT open THEN at + took END, CASE WHEN NOT open THEN at + took END,
  CASE WHEN NOT open AND h % 3 = 0 THEN at + took * 1.5 END, '{}',
  CASE WHEN NOT open AND h % 3 = 0 THEN 1 + h % 5 END,
  CASE WHEN NOT open AND h % 3 = 0 THEN (ARRAY['yes','partly','no'])[1 + h % 3] END,
  jsonb_build_object('RESOLUTION', jsonb_build_object('due', at + interval '5 days'),
    'FIRST_RESPONSE', jsonb_build_object('in_time', h % 9 > 0)),
  CASE WHEN open THEN $2::timestamptz + interval '1 hour' * (1 + h % 90) END,
  CASE WHEN NOT open THEN at + interval '8 hours' END, false, false,
  CASE WHEN NOT open THEN (ARRAY['solved','explained','partly','cannot'])[1 + h % 4] END, false
FROM (
  SELECT i, copy, open, abs(hashint4(i)) AS h,
    $2::timestamptz - make_interval(days => $6 * 7 * copy) - make_interval(secs => $6 * 604800.0 *
      CASE WHEN open THEN 0.1 * i / $1 ELSE (abs(hashint4(i * 7)) % 1000000) / 1e6 END) AS at,
    make_interval(secs => 600 + abs(hashint4(i * 3)) % 90000) AS took
  FROM generate_series($4::int, $5) AS copy, generate_series(1, $1) AS i,
    (VALUES ($3::boolean)) AS v (open)) AS made
"""
"""``$1`` cases before ``$2``, open or not, in the copies ``$4`` to ``$5`` of ``$6`` weeks."""
_DURATIONS = """
INSERT INTO durations (feedback_id, clock, cycle, department, category, channel, met_at, in_time,
  working_seconds, priority, reporter_group)
SELECT feedback_id, clock, 1, department, category, channel, replied_at, returns = 0,
  (extract(epoch FROM replied_at - received_at) * share)::int, priority, reporter_group
FROM cases, (VALUES ('ACCEPT', 0.1), ('FIRST_RESPONSE', 0.3), ('RESOLUTION', 0.5)) v (clock, share)
WHERE replied_at IS NOT NULL
"""
_OCCURRENCES = """
INSERT INTO occurrences (feedback_id, seq, kind, detail, department, category, channel, priority,
  reporter_group, at, seconds)
SELECT feedback_id, n, kind, detail, department, category, channel, priority, reporter_group,
  first_dispatched_at, 3600
FROM cases, (VALUES (2, 'dispatch', ''), (3, 'state', 'TRIAGE'), (4, 'state', 'DISPATCHED'),
  (5, 'state', 'IN_PROGRESS'), (6, 'hands', '')) v (n, kind, detail)
"""
_MOVED = """
INSERT INTO {table} ({keys}, bucket, {sums})
SELECT {keys}, bucket - make_interval(days => $4 * ($1 + after)) AS moved, {added}
FROM (SELECT *, (bucket >= $2)::int AS after, $3::int AS last FROM {table}_of_weeks
  UNION ALL SELECT *, (bucket >= $2)::int, 0 FROM {table}_of_open) AS s
WHERE bucket > to_timestamp(0) AND $1 + after BETWEEN 0 AND last
GROUP BY {keys}, moved ORDER BY moved
"""
"""What falls into the weeks number ``$1`` back from those that end with ``$2``: of the copy of that
number and, where it happened `after` its weeks were over, of the one before it. ``$3`` is the
number of the last copy, ``$4`` the days from one to the next. In the order of time, as it would be
written day by day."""
_PRESENT = """
INSERT INTO counters SELECT measure, scope, bucket, department, detail, sum(n * times) FROM (
  SELECT *, $1::int AS times FROM counters_of_weeks UNION ALL SELECT *, 1 FROM counters_of_open
) AS s WHERE bucket = to_timestamp(0) GROUP BY 1, 2, 3, 4, 5
"""


async def fill(address: Address, number: int, *, now: datetime | None = None) -> None:
    """Put so many cases with their sums in the place of all that tracking keeps there."""
    now = now or SystemClock().now()
    closed = (number - OPEN) // TIMES
    connection = await address.connect(name="bench", command_timeout=3600)
    try:
        for setting in ("work_mem = '256MB'", "synchronous_commit = off", "jit = off"):
            await connection.execute(f"SET {setting}")
        await connection.execute(f"TRUNCATE {', '.join(_FILLED)}")
        async with without_indexes(connection, _FILLED):
            for suffix, size, is_open in (("open", OPEN, True), ("weeks", closed, False)):
                await connection.execute("TRUNCATE cases, durations, occurrences")
                await connection.execute(_CASES, size, now, is_open, 0, 0, WEEKS)
                await _happened(connection)
                await _count(connection, suffix)
            await connection.execute(_CASES, OPEN, now, True, 0, 0, WEEKS)
            await connection.execute(_CASES, closed, now, False, 1, TIMES - 1, WEEKS)
            await connection.execute("TRUNCATE durations, occurrences")
            await _happened(connection)
            await connection.execute(_PRESENT, TIMES)
            await _move(connection, "counters", "measure, scope, department, detail", "n", now)
            await _move(connection, "duration_bands", "scope, clock, band", "n, seconds", now)
        await connection.execute("VACUUM ANALYZE")
        # Not while something is measured.
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _happened(connection: asyncpg.Connection) -> None:
    await connection.execute(_DURATIONS)
    await connection.execute(_OCCURRENCES)


async def _count(connection: asyncpg.Connection, suffix: str) -> None:
    """The sums of the cases that are there, into tables that end with this connection."""
    # Without knowing how many there are, it would sort what fits into memory.
    await connection.execute("ANALYZE cases, durations, occurrences")
    counters, bands = f"counters_of_{suffix}", f"duration_bands_of_{suffix}"
    await connection.execute(f"CREATE TEMP TABLE {counters} AS {recount(SCOPES[-1])}")
    await connection.execute(f"ANALYZE {counters}")
    others = " UNION ALL ".join(
        f"SELECT measure, {scope}, bucket, department, detail, sum(n) FROM {counters} "
        "GROUP BY 1, 2, 3, 4, 5"
        for scope in _SINGLES
    )
    await connection.execute(f"INSERT INTO {counters} {others}")
    columns = "scope, clock, bucket, band, n, seconds"
    await connection.execute(f"CREATE TEMP TABLE {bands} (LIKE duration_bands)")
    await connection.execute(
        f"INSERT INTO {bands} ({columns}) {RECOUNT.format(where='')}", list(EDGES)
    )


async def _move(
    connection: asyncpg.Connection, table: str, keys: str, sums: str, now: datetime
) -> None:
    added = ", ".join(f"sum({name})" for name in sums.split(", "))
    statement = _MOVED.format(table=table, keys=keys, sums=sums, added=added)
    for back in range(TIMES - 1, -2, -1):
        await connection.execute(statement, back, day_of(now), TIMES - 1, WEEKS * 7)
