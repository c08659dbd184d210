"""The statements of the dashboard: what is open now, and what adds up by days."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import text

from services.tracking.domain.bands import EDGES
from shared.db.compiled import Compiled
from shared.moments import LOCAL

# One value after the other, each found in the index: there are few, and many rows of each.
_SINGLES = """
WITH RECURSIVE single (scope) AS (
  SELECT min(scope) FROM counters WHERE {where}
  UNION ALL
  SELECT (SELECT min(c.scope) FROM counters c WHERE {where_c} AND c.scope > s.scope)
  FROM single s WHERE s.scope IS NOT NULL
) SELECT scope FROM single WHERE scope IS NOT NULL
"""
# Written as the index of it is.
_OF_SINGLES = (
    "{0}measure = 'state' AND {0}bucket = '1970-01-01 00:00:00+00' AND {0}scope NOT LIKE 'cell:%'"
)
_NOTHING_MORE = "NULL::bigint[] AS numbers, NULL::text[] AS words"
_OPEN_NOW = f"""
SELECT 'now' AS part, measure, NULL::timestamptz AS bucket, department, detail,
  sum(n)::bigint AS n, {_NOTHING_MORE}
FROM counters WHERE measure = ANY(:present) AND {{scope}} AND bucket = :now
GROUP BY measure, department, detail
UNION ALL
SELECT 'due', measure, bucket, '', '', sum(n)::bigint, NULL, NULL
FROM counters WHERE measure = 'due' AND {{scope}}
  AND bucket >= :today AND bucket < :ahead {{department}}
GROUP BY measure, bucket
UNION ALL
SELECT 'age', measure, bucket, '', '', sum(n)::bigint, NULL, NULL
FROM counters WHERE measure = 'open_since' AND {{scope}} AND bucket >= :oldest {{department}}
GROUP BY measure, bucket
UNION ALL
SELECT 'unmarked', '', date_trunc('day', c.due_at, '{LOCAL.key}'), coalesce(c.department, ''), '',
  count(*), ARRAY[count(*) FILTER (WHERE c.at_risk)], NULL
FROM cases c WHERE c.due_at <= :at AND NOT c.overdue {{everywhere}} GROUP BY 3, 4
UNION ALL
(SELECT 'next', c.feedback_id, c.due_at, c.department, c.state, c.confidential::int, NULL,
  ARRAY[coalesce(c.measured ->> 'title', c.title), c.priority]
FROM cases c WHERE c.due_at > :at AND NOT c.overdue {{filters}} ORDER BY c.due_at LIMIT :most)
UNION ALL
SELECT 'changed', '', NULL, '', '', sum(times)::bigint, NULL, NULL
FROM changed_days WHERE day >= :earliest AND day < :today
"""
"""What is true at present, and how often the days before today have changed."""
RANGES = {
    "period": """
SELECT 'period', measure, {undated}, '', detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = ANY(:period) AND {scope}
  AND bucket >= :period_from AND bucket < :period_to {department}
GROUP BY measure, detail
""",
    "before": """
SELECT 'before', measure, {undated}, '', detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = ANY(:period_before) AND {scope}
  AND bucket >= :before_from AND bucket < :before_to {department}
GROUP BY measure, detail
""",
    "late_since_end": """
SELECT 'late_since_end', measure, {undated}, '', '', sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'late_flow' AND {scope}
  AND bucket >= :late_since_end_from AND bucket < :late_since_end_to {department}
GROUP BY measure
""",
    "late_since_first": """
SELECT 'late_since_first', measure, {undated}, '', '', sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'late_flow' AND {scope}
  AND bucket >= :late_since_first_from AND bucket < :late_since_first_to {department}
GROUP BY measure
""",
    "departments": """
SELECT 'departments', measure, {undated}, department, detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = ANY(:compared) AND {scope}
  AND bucket >= :departments_from AND bucket < :departments_to
GROUP BY measure, department, detail
""",
    "late_flow_by": """
SELECT 'late_flow_by', measure, {undated}, department, '', sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'late_flow' AND {scope}
  AND bucket >= :late_flow_by_from AND bucket < :late_flow_by_to
GROUP BY measure, department
""",
    "flow": """
SELECT 'flow', measure, {undated}, department, detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'dispatches' AND {scope}
  AND bucket >= :flow_from AND bucket < :flow_to {department}
GROUP BY measure, department, detail
""",
    "trend": """
SELECT 'trend', measure, cast(:shape_first AS timestamptz) + cast(:step AS interval) * floor(
    extract(epoch FROM bucket - cast(:shape_first AS timestamptz))
    / extract(epoch FROM cast(:step AS interval))
  ) AS step, '', detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'category' AND {scope}
  AND bucket >= :trend_from AND bucket < :trend_to {department}
GROUP BY step, measure, detail
""",
    "usual": """
SELECT 'usual', measure, bucket, '', detail, sum(n)::bigint, {no_more}
FROM counters WHERE measure = 'category' AND {scope} AND bucket = ANY(:usual) {department}
GROUP BY measure, bucket, detail
""",
    "received": """
SELECT 'received', measure, bucket, '', '', sum(n)::bigint, {no_more}
FROM counters WHERE measure = :received AND {scope}
  AND bucket >= :received_from AND bucket < :received_to {department}
GROUP BY measure, bucket
""",
    "day": """
SELECT 'day', measure, bucket, '', '', sum(n)::bigint, {no_more}
FROM counters WHERE measure = ANY(:by_day) AND {scope}
  AND bucket >= :day_from AND bucket < :day_to {department}
GROUP BY measure, bucket
""",
    "bands": """
SELECT 'bands', clock, {undated}, '', CASE WHEN earlier THEN 'before' ELSE '' END, sum(n)::bigint,
  array_agg(band) || array_agg(n) || array_agg(seconds), NULL::text[]
FROM ({durations}) AS b GROUP BY clock, earlier
""",
}
"""What adds up by days, by the part of the answer; of each some days are asked for."""
_TODAYS_BANDS = """
SELECT clock, bucket < :first_day AS earlier, band::bigint, n, seconds
FROM duration_bands WHERE scope = :band_scope AND clock = ANY(:clocks)
  AND bucket >= :bands_from AND bucket < :bands_to
"""
"""Of one day each stands there once: to add up what is alone takes longer than to read it."""
_KEPT_BANDS = f"""
SELECT clock, earlier, band, sum(n)::bigint AS n, sum(seconds)::bigint AS seconds
FROM ({_TODAYS_BANDS}) AS k GROUP BY 1, 2, 3
"""
_EDGES = ",".join(map(str, EDGES))
_BANDS_OF_SEVERAL_FILTERS = f"""
SELECT d.clock, d.met_at < :first_day AS earlier,
  width_bucket(d.working_seconds, cast('{{{{{_EDGES}}}}}' AS int[]))::bigint
    AS band, count(*) AS n, sum(d.working_seconds)::bigint AS seconds
FROM durations d WHERE d.clock = ANY(:clocks)
  AND d.met_at >= :bands_from AND d.met_at < :bands_to {{filters}} GROUP BY 1, 2, 3
"""


@lru_cache(maxsize=2)
def singles() -> Compiled:
    """The scopes of single filters there are."""
    return Compiled(
        text(_SINGLES.format(where=_OF_SINGLES.format(""), where_c=_OF_SINGLES.format("c.")))
    )


@lru_cache(maxsize=400)
def statement(
    parts: tuple[str, ...],
    filters: tuple[str, ...],
    department: str | None,
    *,
    at_present: bool,
    of_cells: bool,
    of_bands: bool,
) -> Compiled:
    """One for all these `parts` of `RANGES`, and (`at_present`) for what is open.

    `filters` are chosen by, and `department` for a reason of its own: of a case nobody has it is
    NULL. `of_cells`, `of_bands`: whether sums stand in cells, and how long things took in bands.
    """
    fields = {
        "scope": "scope = ANY(:cells)" if of_cells else "scope = :scope",
        "department": "" if department is None else "AND department = :department",
        "filters": chosen(filters, department, "c"),
        # Departments stand beside each other, whichever is asked for.
        "everywhere": chosen(filters, None, "c"),
        # Said in each of them: it is then the same whichever comes first.
        "undated": "NULL::timestamptz",
        "no_more": "NULL::bigint[], NULL::text[]",
    }
    kept = _TODAYS_BANDS if at_present else _KEPT_BANDS
    durations = kept if of_bands else _BANDS_OF_SEVERAL_FILTERS
    fields["durations"] = durations.format(filters=chosen(filters, department, "d"))
    said = [RANGES[part].format(**fields) for part in parts]
    if at_present:
        said.insert(0, _OPEN_NOW.format(**fields))
    return Compiled(text(" UNION ALL ".join(said)))


def chosen(filters: tuple[str, ...], department: str | None, of: str) -> str:
    """Conditions on the row `of`, whose values go by the names of the filters."""
    said = " ".join(f"AND {of}.{name} = :{name}" for name in filters)
    if department is not None:
        # Of a case nobody has: none.
        nobody = of == "c" and not department
        said += f" AND {of}.department " + ("IS NULL" if nobody else "= :department")
    return said
