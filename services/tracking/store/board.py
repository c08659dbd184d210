"""Queries of the dashboard: sums that are kept, percentiles from one index, what breaks next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.tracking.domain import departments
from services.tracking.domain.board import (
    AHEAD_DAYS,
    AT_PRESENT,
    BY_DAY,
    IN_PERIOD,
    IN_PERIOD_BEFORE,
    Percentiles,
    Question,
    Unmarked,
)
from services.tracking.domain.counting import cells_of, scope_of
from services.tracking.domain.periods import NOW, ONE_DAY, day_of
from services.tracking.domain.shape import age_bounds
from services.tracking.domain.sums import Sum
from shared.db.compiled import Compiled
from shared.db.engine import driver_of

NEXT = 8
"""How many of those that break next are listed."""
OLDER_THAN_THE_BANDS = -2
"""Index of the last band of ages that has a beginning."""

# Written as the index of it is.
_SINGLES = """
SELECT DISTINCT scope FROM counters WHERE measure = 'state'
AND bucket = '1970-01-01 00:00:00+00' AND scope NOT LIKE 'cell:%'
"""
_SUMS = """
SELECT 'now' AS part, measure, NULL::timestamptz AS bucket, department, detail, sum(n)::bigint AS n
FROM counters WHERE measure = ANY(:present) AND {scope} AND bucket = :now
GROUP BY measure, department, detail
UNION ALL
SELECT 'due', measure, bucket, '', '', sum(n)::bigint
FROM counters WHERE measure = 'due' AND {scope}
  AND bucket >= :today AND bucket < :ahead {department}
GROUP BY measure, bucket
UNION ALL
SELECT 'period', measure, NULL, '', detail, sum(n)::bigint
FROM counters WHERE measure = ANY(:period) AND {scope}
  AND bucket >= :first_day AND bucket < :end {department}
GROUP BY measure, detail
UNION ALL
SELECT 'before', measure, NULL, '', detail, sum(n)::bigint
FROM counters WHERE measure = ANY(:period_before) AND {scope}
  AND bucket >= :before AND bucket < :first_day {department}
GROUP BY measure, detail
UNION ALL
SELECT 'late_since_end', measure, NULL, '', '', sum(n)::bigint
FROM counters WHERE measure = 'late_flow' AND {scope} AND bucket >= :end {department}
GROUP BY measure
UNION ALL
SELECT 'late_since_first', measure, NULL, '', '', sum(n)::bigint
FROM counters WHERE measure = 'late_flow' AND {scope} AND bucket >= :first_day {department}
GROUP BY measure
UNION ALL
SELECT 'departments', measure, NULL, department, detail, sum(n)::bigint
FROM counters WHERE measure = ANY(:compared) AND {scope}
  AND bucket >= :first_day AND bucket < :end
GROUP BY measure, department, detail
UNION ALL
SELECT 'late_flow_by', measure, NULL, department, '', sum(n)::bigint
FROM counters WHERE measure = 'late_flow' AND {scope} AND bucket >= :end
GROUP BY measure, department
UNION ALL
SELECT 'flow', measure, NULL, department, detail, sum(n)::bigint
FROM counters WHERE measure = 'dispatches' AND {scope}
  AND bucket >= :first_day AND bucket < :end {department}
GROUP BY measure, department, detail
UNION ALL
SELECT 'trend', measure, cast(:shape_first AS timestamptz) + cast(:step AS interval) * floor(
    extract(epoch FROM bucket - cast(:shape_first AS timestamptz))
    / extract(epoch FROM cast(:step AS interval))
  ) AS step, '', detail, sum(n)::bigint
FROM counters WHERE measure = 'category' AND {scope}
  AND bucket >= :shape_first AND bucket < :end {department}
GROUP BY step, measure, detail
UNION ALL
SELECT 'usual', measure, bucket, '', detail, sum(n)::bigint
FROM counters WHERE measure = 'category' AND {scope} AND bucket = ANY(:usual) {department}
GROUP BY measure, bucket, detail
UNION ALL
SELECT 'age', measure, bucket, '', '', sum(n)::bigint
FROM counters WHERE measure = 'open_since' AND {scope} AND bucket >= :oldest {department}
GROUP BY measure, bucket
UNION ALL
SELECT 'received', measure, bucket, '', '', sum(n)::bigint
FROM counters WHERE measure = :received AND {scope}
  AND bucket >= :received_first AND bucket < :last {department}
GROUP BY measure, bucket
UNION ALL
SELECT 'day', measure, bucket, '', '', sum(n)::bigint
FROM counters WHERE measure = ANY(:by_day) AND {scope}
  AND bucket >= :trend_first {department}
GROUP BY measure, bucket
"""


async def sums(connection: AsyncConnection, question: Question) -> list[Sum]:
    """The sums of the answer, in one statement: they are kept for every choice of filters.

    Of two filters and more they are added up from cells, each of which is one place of the key:
    what lies beside them, or before the days that are asked for, is not read.
    """
    scope = scope_of(question.filters)
    cells: list[str] = []
    if scope is None:
        found = await _compiled(_SINGLES).fetch(connection, {})
        cells = cells_of(question.filters, [single for (single,) in found])
    statement = _SUMS.format(
        scope="scope = ANY(:cells)" if scope is None else "scope = :scope",
        department="AND department = :department" if question.department is not None else "",
    )
    today = day_of(question.now)
    found = await _compiled(statement).fetch(
        connection,
        {
            "scope": scope,
            "cells": cells,
            "department": question.department,
            "present": list(AT_PRESENT),
            "now": NOW,
            "today": today,
            "ahead": today + AHEAD_DAYS * ONE_DAY,
            "period": list(IN_PERIOD),
            "period_before": list(IN_PERIOD_BEFORE),
            "before": question.before,
            "first_day": question.first_day,
            "end": question.end,
            "compared": list(departments.SUMS),
            "shape_first": question.shape_first,
            "step": question.shape_step,
            "usual": question.usual_days,
            "oldest": age_bounds(question.now)[OLDER_THAN_THE_BANDS][0],
            "last": question.last,
            "received": "received" if question.hourly else "received_day",
            "received_first": question.first if question.hourly else question.first_day,
            "by_day": list(BY_DAY),
            "trend_first": question.trend_first,
        },
    )
    return [Sum(*row) for row in found]


async def percentiles(connection: AsyncConnection, question: Question) -> list[Percentiles]:
    """How long first response, acceptance and resolution took in the period, and before it."""
    filters, values = conditions(question, "d")
    found = await _compiled(
        "SELECT d.clock, d.met_at < :first AS before, count(*) AS n, "
        "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY d.working_seconds) AS p "
        "FROM durations d WHERE d.clock = ANY(:clocks) "
        # One range for the index; what lies between the two periods is left out after it.
        "AND d.met_at >= :before AND d.met_at < :last "
        f"AND (d.met_at < :first_day OR d.met_at >= :first) {filters} GROUP BY d.clock, before"
    ).fetch(
        connection,
        values
        | {
            "clocks": ["FIRST_RESPONSE", "RESOLUTION", "ACCEPT"],
            "before": question.before,
            "first_day": question.first_day,
            "first": question.first,
            "last": question.last,
        },
    )
    return [Percentiles(clock, before, n, *p) for clock, before, n, p in found]


async def unmarked(connection: AsyncConnection, question: Question) -> list[Unmarked]:
    """Deadlines that have passed and whose breach has not been emitted yet: usually none."""
    filters, values = conditions(question)
    found = await _compiled(
        "SELECT coalesce(c.department, '') AS department, count(*) AS n, "
        "count(*) FILTER (WHERE c.due_at >= :today) AS today, "
        "count(*) FILTER (WHERE c.at_risk) AS at_risk FROM cases c "
        f"WHERE c.due_at <= :at AND NOT c.overdue {filters} GROUP BY 1"
    ).fetch(connection, values | {"at": question.now, "today": day_of(question.now)})
    return [Unmarked(*row) for row in found]


async def breaking_next(
    connection: AsyncConnection, question: Question
) -> Sequence[Mapping[str, Any]]:
    """The open cases whose deadline comes first."""
    filters, values = conditions(question)
    return await _compiled(
        "SELECT c.feedback_id, c.title, c.department, c.state, c.priority, c.due_at, "
        "c.confidential FROM cases c "
        f"WHERE c.due_at > :at AND NOT c.overdue {filters} ORDER BY c.due_at LIMIT :most"
    ).fetch(connection, values | {"at": question.now, "most": NEXT})


async def snapshot(connection: AsyncConnection) -> str:
    """What can be seen at this moment, by name: while it is the same, so is every answer.

    Asked before anything is read, an answer is never older than its name.
    """
    ((name,),) = await driver_of(connection).fetch("SELECT pg_current_snapshot()::text")
    return str(name)


@lru_cache(maxsize=100)
def _compiled(statement: str) -> Compiled:
    return Compiled(text(statement))


def conditions(question: Question, of: str = "c") -> tuple[str, dict[str, Any]]:
    """Conditions on the row `of`, and their values."""
    wanted = question.filters
    said = " ".join(f"AND {of}.{name} = :{name}" for name in wanted)
    if question.department is not None:
        wanted |= {"department": question.department}
        # Of a case nobody has: none.
        nobody = of == "c" and not question.department
        said += f" AND {of}.department " + ("IS NULL" if nobody else "= :department")
    return said, wanted
