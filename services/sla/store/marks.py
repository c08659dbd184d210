"""What is due: claimed, marked and told by the database itself, many clocks in one statement.

When each level is reached was worked out by `domain.clocks` the moment the deadline was set and
stands in the row, so that marking needs neither calendar nor policy and nothing is carried to
Python and back. `domain.cases.tick` and `domain.announce` say the same for one case; a test holds
the two against each other.

First the *cases* are locked, passing over those somebody else holds: their clocks may be changing
at this moment, and they are looked at again in a moment. Then the due clocks are read, with a
new snapshot that sees what the last holder of the lock wrote. A case with a refused fact is left
alone: what is parked behind it may have kept the promise.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

_CLAIM = """
SELECT s.feedback_id
FROM clocks c JOIN streams s ON s.feedback_id = c.feedback_id
WHERE c.next_check_at <= $1
  AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.feedback_id = c.feedback_id)
ORDER BY c.next_check_at
LIMIT $2
FOR UPDATE OF s SKIP LOCKED
"""
_MARK = """
WITH due AS MATERIALIZED (
  SELECT c.feedback_id, c.clock, c.cycle, o.department, s.level, s.at, s."to", c.budget,
         CASE WHEN c.clock = 'FOLLOW_UP' THEN 'elapsed'
              WHEN s.level = 100 THEN 'breached'
              WHEN s.level < 100 THEN 'warned'
              ELSE 'escalated' END AS kind,
         '{"feedback_id":' || to_json(c.feedback_id)::text
           || ',"at":' || to_json(s.at)::text || ',"by":{"kind":"system"}'
           || ',"clock":' || to_json(c.clock)::text || ',"cycle":' || c.cycle
           || ',"due":' || to_json(c.due)::text || ',"first_due":' || to_json(c.first_due)::text
           || coalesce(',"department":' || to_json(o.department)::text, '') AS about
  FROM clocks c
  JOIN cases k ON k.feedback_id = c.feedback_id
  CROSS JOIN LATERAL (SELECT CASE WHEN c.clock NOT IN ('TRIAGE', 'FOLLOW_UP', 'APPEAL')
                                  THEN nullif(k.department, '') END AS department) o
  CROSS JOIN LATERAL jsonb_to_recordset(c.steps) AS s(level int, at timestamptz, "to" text)
  WHERE c.feedback_id = ANY($1::text[]) AND c.next_check_at <= $2
    AND s.at <= least($2, c.paused_at) AND NOT c.marked @> to_jsonb(s.level)
),
marked AS (
  UPDATE clocks c SET
    marked = c.marked || d.levels,
    breached_at = coalesce(c.breached_at, d.breached_at),
    met_at = coalesce(c.met_at, d.elapsed_at),
    next_check_at = CASE WHEN d.elapsed_at IS NULL THEN (
      SELECT min(s.at) FROM jsonb_to_recordset(c.steps) AS s(level int, at timestamptz)
      WHERE s.at > $2 AND (c.paused_at IS NULL OR s.at <= c.paused_at)
        AND NOT c.marked @> to_jsonb(s.level)
    ) END
  FROM (
    SELECT feedback_id, clock, cycle, jsonb_agg(level ORDER BY level) AS levels,
           min(at) FILTER (WHERE kind = 'breached') AS breached_at,
           min(at) FILTER (WHERE kind = 'elapsed') AS elapsed_at
    FROM due GROUP BY feedback_id, clock, cycle
  ) d
  -- The planner cannot know how few steps are due: the ids keep it from reading the whole table.
  WHERE c.feedback_id = ANY($1::text[]) AND c.next_check_at <= $2
    AND c.feedback_id = d.feedback_id AND c.clock = d.clock AND c.cycle = d.cycle
),
facts AS MATERIALIZED (
  SELECT d.*, t.type, uuidv7()::text AS ce_id,
         row_number() OVER (
           PARTITION BY d.feedback_id ORDER BY d.at, d.clock, d.cycle, d.level, t.place
         ) AS place
  FROM due d JOIN (VALUES
    ('warned', 1, 'sla.warned.v1'), ('warned', 2, 'escalation.raised.v1'),
    ('breached', 1, 'sla.breached.v1'), ('breached', 2, 'escalation.raised.v1'),
    ('escalated', 2, 'escalation.raised.v1'), ('elapsed', 1, 'sla.met.v1')
  ) AS t(kind, place, type) ON t.kind = d.kind
  WHERE t.place = 1 OR d."to" IS NOT NULL
),
counted AS (
  UPDATE streams s SET seq = s.seq + f.n
  FROM (SELECT feedback_id, count(*) AS n FROM facts GROUP BY feedback_id) f
  WHERE s.feedback_id = ANY($1::text[]) AND s.feedback_id = f.feedback_id
  RETURNING s.feedback_id, s.seq - f.n AS before
),
told AS (
  INSERT INTO outbox (ce_id, topic, key, seq, headers, body)
  SELECT f.ce_id, 'feedback.events', f.feedback_id, f.seq,
    jsonb_build_object(
      'ce_specversion', '1.0', 'ce_id', f.ce_id, 'ce_source', 'sla', 'ce_type', f.type,
      'ce_subject', f.feedback_id, 'ce_time', f.at, 'content-type', 'application/json',
      'ce_sequence', f.seq::text, 'ce_correlationid', f.ce_id),
    convert_to(f.about || CASE f.type
      WHEN 'sla.warned.v1' THEN ',"level":' || f.level
      WHEN 'escalation.raised.v1' THEN ',"level":' || f.level || ',"to_role":"' || f."to" || '"'
      WHEN 'sla.met.v1' THEN ',"in_time":true,"working_seconds":'
        || floor(extract(epoch FROM f.budget))::bigint
      ELSE '' END || '}', 'UTF8')
  FROM (SELECT facts.*, c.before + facts.place AS seq
        FROM facts JOIN counted c ON c.feedback_id = facts.feedback_id
        ORDER BY facts.feedback_id, facts.place) f
)
SELECT kind, clock, department, count(*) FROM due GROUP BY kind, clock, department
"""
_LOOK = """
SELECT (SELECT min(next_check_at) FROM clocks),
       (SELECT min(next_check_at) FROM clocks WHERE next_check_at > $1)
"""


class Marked(NamedTuple):
    """So many levels of one kind were reached."""

    kind: str
    clock: str
    department: str
    count: int


async def claim_due(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """Lock cases with a due clock that nobody else holds, the longest due first."""
    rows = await connection.exec_driver_sql(_CLAIM, (now, limit))
    return list(dict.fromkeys(feedback_id for (feedback_id,) in rows))


async def mark_claimed(
    connection: AsyncConnection, feedback_ids: list[str], now: datetime
) -> list[Marked]:
    """Mark and tell every level these locked cases have reached; says how many of which."""
    rows = await connection.exec_driver_sql(_MARK, (feedback_ids, now))
    return [Marked(kind, clock, department or "", n) for kind, clock, department, n in rows]


async def look(connection: AsyncConnection, now: datetime) -> tuple[datetime | None, ...]:
    """``(the earliest check, the earliest after now)``; idle they are the same."""
    row = (await connection.exec_driver_sql(_LOOK, (now,))).one()
    return tuple(row)
