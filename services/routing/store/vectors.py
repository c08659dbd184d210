"""Remembers what cases mean: a vector each, with the model that made it.

The table is the same on every server. Where the extension `vector` is installed, an index over
the expression ``vector::halfvec(n)`` finds the nearest; elsewhere nearness is not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import nearest as nearest_index
from shared.db.nearest import EXTENSION, extension_installed, literal

__all__ = [
    "EXTENSION",
    "Near",
    "Words",
    "extension_installed",
    "index",
    "keep",
    "nearest",
    "precedents",
    "progress",
    "waiting",
]

_WAITING = """
SELECT c.feedback_id, c.title, left(c.text, 4000) AS text
FROM cases c LEFT JOIN vectors v ON v.feedback_id = c.feedback_id AND v.model = $1
WHERE v.feedback_id IS NULL AND NOT c.confidential
ORDER BY c.feedback_id DESC LIMIT $2
"""
_COUNT = """
SELECT (SELECT count(*) FROM cases WHERE NOT confidential) AS cases,
       (SELECT count(*) FROM vectors WHERE model = $1) AS embedded
"""
_KEEP = """
INSERT INTO vectors (feedback_id, model, at, vector)
SELECT feedback_id, $2::varchar, $3::timestamptz, $4::real[]
FROM cases WHERE feedback_id = $1::varchar AND NOT confidential FOR SHARE
ON CONFLICT (feedback_id) DO UPDATE
SET model = EXCLUDED.model, at = EXCLUDED.at, vector = EXCLUDED.vector
"""
_NEAREST = """
SELECT feedback_id, 1 - (vector::halfvec({n}) <=> $1::real[]::halfvec({n})) AS likeness
FROM vectors WHERE model = '{model}' AND feedback_id <> $2
ORDER BY vector::halfvec({n}) <=> $1::real[]::halfvec({n}) LIMIT $3
"""
_DISPATCHED = """
SELECT feedback_id, department FROM examples
WHERE feedback_id = ANY($1::varchar[]) AND NOT returned AND category IS DISTINCT FROM 'conduct'
"""


@dataclass(frozen=True, slots=True)
class Words:
    """A case whose meaning is not known yet; its words are masked."""

    feedback_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """A case, and how alike it is: the cosine, 1 where it says the same."""

    feedback_id: str
    likeness: float


async def waiting(connection: AsyncConnection, model: str, limit: int) -> list[Words]:
    """Cases without a vector of `model`, the newest first; confidential ones never get one."""
    rows = await connection.exec_driver_sql(_WAITING, (model, limit))
    return [Words(row.feedback_id, row.title, row.text) for row in rows]


async def progress(connection: AsyncConnection, model: str) -> tuple[int, int]:
    """How many cases there are to embed, and how many of them `model` has embedded."""
    row = (await connection.exec_driver_sql(_COUNT, (model,))).one()
    return row.cases, row.embedded


async def keep(
    connection: AsyncConnection,
    model: str,
    at: datetime,
    vectors: Sequence[tuple[str, Sequence[float]]],
) -> None:
    """Keep a vector for each of these cases, in place of what another model made of it."""
    values = [(feedback_id, model, at, list(vector)) for feedback_id, vector in vectors]
    if values:
        await connection.exec_driver_sql(_KEEP, values)


async def nearest(
    connection: AsyncConnection,
    model: str,
    vector: Sequence[float],
    *,
    limit: int,
    but: str = "",
) -> list[Near]:
    """The cases most alike, the most alike first. Needs the extension."""
    statement = _NEAREST.format(n=len(vector), model=literal(model))
    rows = await connection.exec_driver_sql(statement, (list(vector), but, limit))
    return [Near(row.feedback_id, row.likeness) for row in rows]


async def precedents(
    connection: AsyncConnection, model: str, vector: Sequence[float], *, but: str
) -> list[tuple[str, str, float]]:
    """(case, department, cosine) of the nearest cases that a person dispatched and kept there."""
    found = await nearest(connection, model, vector, limit=20, but=but)
    likeness = {one.feedback_id: one.likeness for one in found}
    rows = await connection.exec_driver_sql(_DISPATCHED, (list(likeness),))
    known = [(row.feedback_id, row.department, likeness[row.feedback_id]) for row in rows]
    return sorted(known, key=lambda one: -one[2])


async def index(driver: asyncpg.Connection, model: str, dimensions: int) -> bool:
    """Build the index of `model`, see `shared.db.nearest`; True where one was built."""
    return await nearest_index.index(driver, "vectors", model, dimensions)
