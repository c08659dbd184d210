"""Remembers past cases, to try other rules and versions on, and what each rule did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.domain import Precedent, Submission
from services.routing.domain.trial import PastCase
from services.routing.store import vectors

# What is confidential, or about somebody's conduct, is nobody's to look through.
_LATEST = """
SELECT d.feedback_id, c.title, left(c.text, 4000) AS text, c.place, c.category, c.channel,
       v.vector, l.department AS belonged
FROM decisions d JOIN cases c USING (feedback_id)
LEFT JOIN vectors v ON v.feedback_id = d.feedback_id AND v.model = $2
LEFT JOIN labels l ON l.feedback_id = d.feedback_id
WHERE NOT c.confidential AND d.category IS DISTINCT FROM 'conduct'
ORDER BY d.at DESC, d.feedback_id DESC LIMIT $1
"""
_BY_RULE = """
SELECT reason ->> 'rule' AS rule, l.department, l.category, count(*) AS cases
FROM decisions d CROSS JOIN LATERAL jsonb_array_elements(d.reasons) AS reason
LEFT JOIN labels l ON l.feedback_id = d.feedback_id
WHERE d.at >= $1 AND reason ->> 'rule' IS NOT NULL GROUP BY 1, 2, 3
"""
_WORDS = """
SELECT c.title || ' ' || left(c.text, 600) AS text, l.category
FROM labels l JOIN cases c USING (feedback_id)
WHERE NOT c.confidential AND l.category IS NOT NULL AND l.category <> 'conduct'
ORDER BY l.at DESC LIMIT $1
"""


async def latest(connection: AsyncConnection, model: str, limit: int) -> list[PastCase]:
    """The latest cases, with their vectors of `model`."""
    rows = await connection.exec_driver_sql(_LATEST, (limit, model))
    return [
        PastCase(
            row.feedback_id,
            Submission(
                text=row.text,
                title=row.title,
                place=row.place,
                category=row.category,
                channel=row.channel,
            ),
            row.vector,
            row.belonged,
        )
        for row in rows
    ]


async def with_precedents(
    connection: AsyncConnection, model: str, cases: list[PastCase]
) -> list[PastCase]:
    """The same cases, each with those before it that people dispatched: what came later, and it
    itself, was not known then."""
    found = []
    for one in cases:
        if one.vector:
            near = await vectors.precedents(connection, model, one.vector, but=one.feedback_id)
            # Ids begin with their time.
            before = [Precedent(*each) for each in near if each[0] < one.feedback_id]
            one = replace(one, precedents=tuple(before))
        found.append(one)
    return found


async def by_rule(
    connection: AsyncConnection, since: datetime
) -> list[tuple[str, str | None, str | None, int]]:
    """(rule, where it belonged or None, its category, cases) of the cases that a rule spoke for."""
    rows = await connection.exec_driver_sql(_BY_RULE, (since,))
    return [(row.rule, row.department, row.category, row.cases) for row in rows]


async def labelled_words(connection: AsyncConnection, limit: int) -> list[tuple[str, str]]:
    """(masked words, category) of the cases of which people said what they are about."""
    rows = await connection.exec_driver_sql(_WORDS, (limit,))
    return [(row.text, row.category) for row in rows]
