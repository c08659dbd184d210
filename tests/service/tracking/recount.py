"""All counters counted anew from the cases: what the kept sums must equal, but for the flows."""

from __future__ import annotations

from shared.contracts.vocabulary import OPEN
from shared.moments import LOCAL

_CELL = (
    "'cell:' || coalesce({0}.category, '') || ':' || {0}.channel || ':' "
    "|| coalesce({0}.priority, '') || ':' || coalesce({0}.reporter_group, '')"
)
SCOPES = (
    "''",
    "'category:' || coalesce({0}.category, '')",
    "'channel:' || {0}.channel",
    "'priority:' || coalesce({0}.priority, '')",
    "'reporter_group:' || coalesce({0}.reporter_group, '')",
    _CELL,
)
"""Under what every sum is kept, as SQL over a row."""
_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
_DAY = f"date_trunc('day', {{}}, '{LOCAL.key}')"
_NOW = "to_timestamp(0)"
_OUTCOME = "CASE WHEN c.outcome IS NOT NULL THEN " + _DAY.format("c.replied_at") + " END"
_PROMISED = "CASE WHEN c.promises ? 'RESOLUTION' THEN " + _DAY.format("c.received_at") + " END"

_RECOUNT = f"""
SELECT v.measure, {{of_case}} AS scope, v.bucket,
  coalesce(c.department, '') AS department, v.detail,
  sum(v.n) AS n
FROM cases c, LATERAL (VALUES
  ('state', {_NOW}, c.state, 1),
  ('overdue', CASE WHEN c.state IN ({_OPEN}) AND c.overdue THEN {_NOW} END, '', 1),
  ('due', CASE WHEN c.state IN ({_OPEN}) AND NOT c.overdue
          THEN {_DAY.format("c.due_at")} END, '', 1),
  ('at_risk', CASE WHEN c.at_risk THEN {_NOW} END, '', 1),
  ('open_since', CASE WHEN c.state IN ({_OPEN}) THEN {_DAY.format("c.received_at")} END, '', 1),
  ('late',
   CASE WHEN c.state IN ({_OPEN}) AND c.resolution_overdue THEN {_NOW} END, '', 1),
  ('received', date_trunc('hour', c.received_at), '', 1),
  ('received_day', {_DAY.format("c.received_at")}, '', 1),
  ('channel', {_DAY.format("c.received_at")}, c.channel, 1),
  ('category', {_DAY.format("c.received_at")}, coalesce(c.category, ''), 1),
  ('group', CASE WHEN c.reporter_group <> '' THEN {_DAY.format("c.received_at")} END,
   c.reporter_group, 1),
  ('arrived', {_DAY.format("c.received_at")},
   to_char(c.received_at AT TIME ZONE '{LOCAL.key}', 'ID-HH24'), 1),
  ('promised', {_PROMISED}, '', 1),
  ('extended', {_PROMISED}, '', c.extended::int),
  ('broken', {_PROMISED}, '', coalesce((c.measured ->> 'broken')::boolean, false)::int),
  ('outcome', {_OUTCOME}, c.outcome, 1),
  ('dispatched', {_DAY.format("c.first_dispatched_at")}, '', 1),
  ('hops', {_DAY.format("c.first_dispatched_at")}, '', c.dispatches),
  ('returned', {_DAY.format("c.first_dispatched_at")}, '', (c.returns > 0)::int),
  ('dispatched_right', {_DAY.format("c.first_dispatched_at")}, '',
   (c.returns = 0 AND c.dispatches = 1)::int),
  ('answered', {_DAY.format("c.first_replied_at")}, '', 1),
  ('reopened', {_DAY.format("c.first_replied_at")}, '', (c.reopenings > 0)::int),
  ('asked', {_DAY.format("c.rated_at")}, '', 1),
  ('ratings', {_DAY.format("c.rated_at")}, '', (c.stars IS NOT NULL)::int),
  ('satisfied', {_DAY.format("c.rated_at")}, '', coalesce(c.stars >= 4, false)::int),
  ('solved_halves', {_DAY.format("c.rated_at")}, '',
   CASE c.solved WHEN 'yes' THEN 2 WHEN 'partly' THEN 1 ELSE 0 END),
  ('first_due', {_DAY.format("c.first_due_at")}, '', 1),
  ('first_in_time', {_DAY.format("c.first_due_at")}, '',
   coalesce((c.promises #> '{{{{FIRST_RESPONSE,in_time}}}}')::boolean, false)::int)
) AS v (measure, bucket, detail, n)
WHERE v.bucket IS NOT NULL AND v.n > 0
GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT v.measure, {{of_duration}}, {_DAY.format("d.met_at")}, d.department, '', sum(v.n)
FROM durations d, LATERAL (VALUES
  ('closed', (d.clock = 'RESOLUTION')::int),
  ('closed_in_time', (d.clock = 'RESOLUTION' AND d.in_time)::int),
  ('first_responses', (d.clock = 'FIRST_RESPONSE')::int),
  ('first_seconds', CASE d.clock WHEN 'FIRST_RESPONSE' THEN d.working_seconds ELSE 0 END)
) AS v (measure, n)
WHERE v.n > 0
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT v.measure, {{of_occurrence}}, {_DAY.format("o.at")}, o.department, v.detail, sum(v.n)
FROM occurrences o, LATERAL (VALUES
  ('dispatches', o.detail, (o.kind = 'dispatch')::int),
  ('returns', '', (o.kind = 'return')::int),
  ('sent_back', '', (o.kind = 'dispatch' AND EXISTS (
    SELECT FROM occurrences r WHERE r.feedback_id = o.feedback_id AND r.kind = 'return'
      AND r.department = o.department AND r.seq > o.seq AND NOT EXISTS (
        SELECT FROM occurrences s WHERE s.feedback_id = o.feedback_id AND s.kind = 'dispatch'
          AND s.seq > o.seq AND s.seq < r.seq)))::int),
  ('breaches', o.detail, (o.kind = 'breach')::int),
  ('reasons', o.detail, (o.kind = 'reason')::int),
  ('undelivered', o.detail, (o.kind = 'undelivered')::int),
  ('uncertain', o.detail, (o.kind = 'uncertain')::int),
  ('dwell', o.detail, (o.kind = 'state')::int),
  ('dwell_seconds', o.detail, CASE o.kind WHEN 'state' THEN o.seconds ELSE 0 END),
  ('hands', '', (o.kind = 'hands')::int),
  ('hands_seconds', '', CASE o.kind WHEN 'hands' THEN o.seconds ELSE 0 END)
) AS v (measure, detail, n)
WHERE v.n > 0
GROUP BY 1, 2, 3, 4, 5
"""


def recount(scope: str) -> str:
    """The statement that counts all sums of one of `SCOPES`."""
    return _RECOUNT.format(
        of_case=scope.format("c"), of_duration=scope.format("d"), of_occurrence=scope.format("o")
    )
