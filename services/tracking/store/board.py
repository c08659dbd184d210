"""Queries of the dashboard: sums that are kept, percentiles from one index, what breaks next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from services.tracking.domain.board import (
    AHEAD_DAYS,
    AT_PRESENT,
    BY_DAY,
    IN_PERIOD,
    Percentiles,
    Question,
    Sum,
    Unmarked,
)
from services.tracking.domain.counting import scope_of
from services.tracking.domain.periods import NOW, ONE_DAY, day_of
from shared.contracts.vocabulary import OPEN
from shared.messaging.transaction import Transaction

MOST_BEHIND = 200
"""How many cases behind a number are listed."""
NEXT = 8
"""How many of those that break next are listed."""
_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
_DAY = "date_trunc('day', {}, 'Asia/Shanghai')"
_NOW = "to_timestamp(0)"

RECOUNT = f"""
SELECT v.measure, '' AS scope, v.bucket, coalesce(c.department, '') AS department, v.detail,
  sum(v.n) AS n
FROM cases c, LATERAL (VALUES
  ('state', {_NOW}, c.state, 1),
  ('overdue', CASE WHEN c.state IN ({_OPEN}) AND c.overdue THEN {_NOW} END, '', 1),
  ('due', CASE WHEN c.state IN ({_OPEN}) AND NOT c.overdue
          THEN {_DAY.format("c.due_at")} END, '', 1),
  ('resolution_overdue',
   CASE WHEN c.state IN ({_OPEN}) AND c.resolution_overdue THEN {_NOW} END, '', 1),
  ('received', date_trunc('hour', c.received_at), '', 1),
  ('received_day', {_DAY.format("c.received_at")}, '', 1),
  ('channel', {_DAY.format("c.received_at")}, c.channel, 1),
  ('category', {_DAY.format("c.received_at")}, coalesce(c.category, ''), 1),
  ('dispatched', {_DAY.format("c.first_dispatched_at")}, '', 1),
  ('hops', {_DAY.format("c.first_dispatched_at")}, '', c.dispatches),
  ('returned', {_DAY.format("c.first_dispatched_at")}, '', (c.returns > 0)::int),
  ('dispatched_right', {_DAY.format("c.first_dispatched_at")}, '',
   (c.returns = 0 AND c.dispatches = 1)::int),
  ('answered', {_DAY.format("c.first_replied_at")}, '', 1),
  ('reopened', {_DAY.format("c.first_replied_at")}, '', (c.reopenings > 0)::int),
  ('ratings', {_DAY.format("c.rated_at")}, '', 1),
  ('satisfied', {_DAY.format("c.rated_at")}, '', (c.stars >= 4)::int),
  ('solved_halves', {_DAY.format("c.rated_at")}, '',
   CASE c.solved WHEN 'yes' THEN 2 WHEN 'partly' THEN 1 ELSE 0 END),
  ('first_due',
   CASE WHEN c.promises #>> '{{FIRST_RESPONSE,met_at}}' IS NOT NULL
          OR c.promises #>> '{{FIRST_RESPONSE,status}}' = 'breached'
   THEN {_DAY.format("(c.promises #>> '{FIRST_RESPONSE,due}')::timestamptz")} END, '', 1),
  ('first_in_time', {_DAY.format("(c.promises #>> '{FIRST_RESPONSE,due}')::timestamptz")}, '',
   coalesce((c.promises #> '{{FIRST_RESPONSE,in_time}}')::boolean, false)::int)
) AS v (measure, bucket, detail, n)
WHERE v.bucket IS NOT NULL AND v.n > 0 {{where}}
GROUP BY 1, 3, 4, 5
UNION ALL
SELECT v.measure, '', {_DAY.format("d.met_at")}, d.department, '', sum(v.n)
FROM durations d JOIN cases c USING (feedback_id), LATERAL (VALUES
  ('closed', (d.clock = 'RESOLUTION')::int),
  ('closed_in_time', (d.clock = 'RESOLUTION' AND d.in_time)::int),
  ('first_responses', (d.clock = 'FIRST_RESPONSE')::int),
  ('first_seconds', CASE d.clock WHEN 'FIRST_RESPONSE' THEN d.working_seconds ELSE 0 END)
) AS v (measure, n)
WHERE v.n > 0 {{where}}
GROUP BY 1, 3, 4
"""
"""All counters counted anew from the cases: what the kept sums must equal (but for the flows)."""

_SUMS = """
SELECT 'now' AS part, measure, NULL::timestamptz AS bucket, department, detail, sum(n) AS n
FROM {counters} WHERE measure = ANY(:present) AND scope = :scope AND bucket = :now {department}
GROUP BY measure, department, detail
UNION ALL
SELECT 'due', measure, bucket, '', '', sum(n)
FROM {counters} WHERE measure = 'due' AND scope = :scope
  AND bucket >= :today AND bucket < :ahead {department}
GROUP BY measure, bucket
UNION ALL
SELECT 'period', measure, NULL, '', detail, sum(n)
FROM {counters} WHERE measure = ANY(:period) AND scope = :scope
  AND bucket >= :first_day AND bucket < :last  {department}
GROUP BY measure, detail
UNION ALL
SELECT 'received', measure, bucket, '', '', sum(n)
FROM {counters} WHERE measure = :received AND scope = :scope
  AND bucket >= :received_first AND bucket < :last {department}
GROUP BY measure, bucket
UNION ALL
SELECT 'day', measure, bucket, '', '', sum(n)
FROM {counters} WHERE measure = ANY(:by_day) AND scope = :scope
  AND bucket >= :trend_first {department}
GROUP BY measure, bucket
"""


async def sums(tx: Transaction, question: Question) -> list[Sum]:
    """The sums of the answer, in one statement.

    They are kept by department and by category or channel; only for a category *and* a channel
    they are counted from the cases.
    """
    filters, values = _filters(question)
    statement = _SUMS.format(
        counters="counters",
        department="AND department = :department" if question.department else "",
    )
    scope = scope_of(category=question.category, channel=question.channel)
    if question.category is not None and question.channel is not None:
        scope = ""
        statement = f"WITH counted AS ({RECOUNT.replace('{where}', filters)}) " + _SUMS.format(
            counters="counted", department=""
        )
    today, first_day = day_of(question.now), day_of(question.first)
    found = await tx.connection.execute(
        text(statement),
        values
        | {
            "scope": scope,
            "present": list(AT_PRESENT),
            "now": NOW,
            "today": today,
            "ahead": today + AHEAD_DAYS * ONE_DAY,
            "period": list(IN_PERIOD),
            "first_day": first_day,
            "last": question.last,
            "received": "received" if question.hourly else "received_day",
            "received_first": question.first if question.hourly else first_day,
            "by_day": list(BY_DAY),
            "trend_first": question.trend_first,
        },
    )
    return [Sum(r.part, r.measure, r.bucket, r.department, r.detail, int(r.n)) for r in found]


async def percentiles(tx: Transaction, question: Question) -> list[Percentiles]:
    """How long first response, acceptance and resolution took in the period."""
    filters, values = _filters(question)
    join = "JOIN cases c USING (feedback_id)" if _narrow(question) else ""
    if not join:
        filters = "AND d.department = :department" if question.department else ""
    found = await tx.connection.execute(
        text(
            "SELECT d.clock, count(*) AS n, "
            "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY d.working_seconds) AS p "
            f"FROM durations d {join} WHERE d.clock = ANY(:clocks) "
            f"AND d.met_at >= :first AND d.met_at < :last {filters} GROUP BY d.clock"
        ),
        values
        | {
            "clocks": ["FIRST_RESPONSE", "RESOLUTION", "ACCEPT"],
            "first": question.first,
            "last": question.last,
        },
    )
    return [Percentiles(r.clock, r.n, r.p[0], r.p[1]) for r in found]


async def unmarked(tx: Transaction, question: Question) -> list[Unmarked]:
    """Deadlines that have passed and whose breach has not been told yet: usually none."""
    filters, values = _filters(question)
    found = await tx.connection.execute(
        text(
            "SELECT coalesce(c.department, '') AS department, count(*) AS n, "
            "count(*) FILTER (WHERE c.due_at >= :today) AS today FROM cases c "
            f"WHERE c.due_at <= :at AND NOT c.overdue {filters} GROUP BY 1"
        ),
        values | {"at": question.now, "today": day_of(question.now)},
    )
    return [Unmarked(r.department, r.n, r.today) for r in found]


async def breaking_next(tx: Transaction, question: Question) -> list[Mapping[str, Any]]:
    """The open cases whose deadline comes first."""
    filters, values = _filters(question)
    found = await tx.connection.execute(
        text(
            "SELECT c.feedback_id, c.title, c.department, c.state, c.priority, c.due_at, "
            "c.confidential FROM cases c "
            f"WHERE c.due_at > :at AND NOT c.overdue {filters} ORDER BY c.due_at LIMIT :most"
        ),
        values | {"at": question.now, "most": NEXT},
    )
    return [dict(r._mapping) for r in found]


_CASE = "c.feedback_id, c.title, c.confidential, c.state"
_MET = (
    f"SELECT {_CASE}, d.department, d.met_at AS at, d.in_time, d.working_seconds "
    "FROM durations d JOIN cases c USING (feedback_id) "
    "WHERE d.clock = '{clock}' AND d.met_at >= :first AND d.met_at < :last {of_met}"
)
_BEHIND = {
    "on_time": _MET.replace("{clock}", "RESOLUTION")
    + f" UNION ALL SELECT {_CASE}, c.department, NULL, false, NULL FROM cases c "
    f"WHERE c.resolution_overdue AND c.state IN ({_OPEN}) {{of_case}}",
    "first_response": _MET.replace("{clock}", "FIRST_RESPONSE"),
    "received": f"SELECT {_CASE}, c.department, c.received_at AS at, NULL::boolean AS in_time, "
    "NULL::integer AS working_seconds FROM cases c "
    "WHERE c.received_at >= :first AND c.received_at < :last {of_case}",
}


async def behind(tx: Transaction, question: Question, measure: str) -> list[Mapping[str, Any]]:
    """The cases a number is made of, what was late first; one more than `MOST_BEHIND` at most."""
    filters, values = _filters(question)
    statement = _BEHIND[measure].format(
        of_met=filters.replace("c.department", "d.department"), of_case=filters
    )
    # The rate is made of whole days, like its sum.
    first = day_of(question.first) if measure == "on_time" else question.first
    found = await tx.connection.execute(
        text(f"{statement} ORDER BY in_time, at DESC NULLS FIRST, feedback_id LIMIT :most"),
        values | {"first": first, "last": question.last, "most": MOST_BEHIND + 1},
    )
    return [dict(r._mapping) for r in found]


def _narrow(question: Question) -> bool:
    return question.category is not None or question.channel is not None


def _filters(question: Question) -> tuple[str, dict[str, Any]]:
    """Conditions on the case `c`, and their values."""
    wanted = {
        name: value
        for name in ("department", "category", "channel")
        if (value := getattr(question, name)) is not None
    }
    return " ".join(f"AND c.{name} = :{name}" for name in wanted), wanted
