"""What `/metrics` says about cases: few numbers, from the kept sums and one small index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.tracking.domain.measures import RETURN_RATE
from services.tracking.domain.periods import NOW, ONE_DAY, day_of
from shared.contracts.vocabulary import OPEN

RETURNS_OF = 30 * ONE_DAY

_SUMS = text("""
SELECT measure, department, detail, sum(n)::bigint AS n FROM counters
WHERE scope = '' AND measure IN ('state', 'overdue') AND bucket = :present
GROUP BY measure, department, detail
UNION ALL
SELECT measure, department, '', sum(n)::bigint FROM counters
WHERE scope = '' AND measure IN ('dispatches', 'sent_back') AND bucket >= :since
GROUP BY measure, department
UNION ALL
SELECT measure, '', detail, sum(n)::bigint FROM counters
WHERE scope = '' AND measure = 'undelivered' AND bucket = :today
GROUP BY measure, detail
""")
_SOON = text("""
SELECT coalesce(department, '') AS department, count(*) FILTER (WHERE due_at > :at) AS soon,
  count(*) FILTER (WHERE due_at <= :at) AS passed
FROM cases WHERE due_at <= :soon AND NOT overdue GROUP BY 1
""")


@dataclass
class Gauges:
    """Cases by department ("" for none), messages by channel."""

    open: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (state, department)."""
    overdue: Counter[str] = field(default_factory=Counter)
    due_soon: Counter[str] = field(default_factory=Counter)
    """Within the hour."""
    return_ratio: dict[str, float] = field(default_factory=dict)
    undelivered: Counter[str] = field(default_factory=Counter)


async def measure(connection: AsyncConnection, now: datetime) -> Gauges:
    """What the views say at `now`."""
    found = Gauges()
    sent: dict[str, Counter[str]] = {}
    today = day_of(now)
    values = {"present": NOW, "today": today, "since": today - RETURNS_OF}
    for name, department, detail, n in await connection.execute(_SUMS, values):
        if name == "state":
            if detail in OPEN:
                found.open[detail, department] += n
        elif name == "overdue":
            found.overdue[department] += n
        elif name == "undelivered":
            found.undelivered[detail] += n
        else:
            sent.setdefault(department, Counter())[name] += n
    values = {"at": now, "soon": now + timedelta(hours=1)}
    for department, soon, passed in await connection.execute(_SOON, values):
        found.due_soon[department] += soon
        found.overdue[department] += passed
    for department, counts in sent.items():
        if (ratio := RETURN_RATE.of(counts).value) is not None:
            found.return_ratio[department] = ratio
    return found
