"""Remembers what cases mean: the things they name, and a vector with the model that made it.

Made of the masked words alone and kept beside them: what is lost is made anew from them, so that
nothing of it stands in the log. The table is the same on every server; see `shared.db.nearest`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain.matter_words import VERSION
from services.desk.domain.matters import matter_of
from services.desk.domain.promises import NOT_OPEN
from services.desk.store.similar import LATELY, NOT_OFFERED
from shared.db.nearest import literal
from shared.messaging.transaction import Transaction

TABLE = "meanings"
BEFORE_VERSION = " · "
# Without a model what any has made is as good: the things are of the same table.
_OF = ("right(m.model, length($1)) = $1", "m.model = $1")
_WORDS = """
SELECT w.feedback_id, w.title, left(w.text, 4000) AS text
FROM words AS w JOIN cases AS c ON c.feedback_id = w.feedback_id
LEFT JOIN meanings AS m ON m.feedback_id = w.feedback_id AND {of}
WHERE m.feedback_id IS NULL AND NOT c.confidential AND NOT c.erased
"""
_WAITING = _WORDS + " ORDER BY w.feedback_id DESC LIMIT $2"
_ARRIVED = _WORDS + " AND w.feedback_id = ANY($2::text[])"
_COUNT = """
SELECT (SELECT count(*) FROM cases WHERE NOT confidential AND NOT erased) AS cases,
       (SELECT count(*) FROM meanings WHERE model = $1) AS embedded
"""
_KEEP = """
INSERT INTO meanings (feedback_id, model, at, things, vector)
SELECT $1::varchar, $2::varchar, $3::timestamptz, $4::varchar[], $5::real[]
WHERE EXISTS (SELECT 1 FROM cases
    WHERE feedback_id = $1::varchar AND NOT confidential AND NOT erased)
ON CONFLICT (feedback_id) DO UPDATE
SET model = EXCLUDED.model, at = EXCLUDED.at, things = EXCLUDED.things, vector = EXCLUDED.vector
"""
_OWN = "SELECT things, vector FROM meanings WHERE feedback_id = $1 AND model = $2"
_OFFERED = """
(c.next_due_at < $2 OR c.replied_at > $3) AND c.state <> ALL($4::text[])
AND c.feedback_id <> $1
"""
_SAME_THINGS = f"""
SELECT m.feedback_id, m.vector FROM meanings AS m JOIN cases AS c USING (feedback_id)
WHERE m.things && $5::varchar[] AND m.model = $6 AND {_OFFERED}
ORDER BY c.received_at DESC, m.feedback_id LIMIT $7
"""
# The rows of cases are read for the closest alone, in their order: a thing may be named by
# thousands. Plus nothing, so that the index of vectors is not gone through for what few of them
# name.
_CLOSEST = f"""
SELECT feedback_id, 1 - apart AS cosine FROM (
    SELECT feedback_id, (vector::halfvec({{n}}) <=> $6::real[]::halfvec({{n}})) + 0 AS apart
    FROM meanings WHERE model = '{{stamp}}' AND things && $5::varchar[]
    ORDER BY apart LIMIT $7
) AS closest JOIN cases AS c USING (feedback_id) WHERE {_OFFERED} ORDER BY apart LIMIT $8
"""
_NEAREST = f"""
SELECT m.feedback_id, 1 - (m.vector::halfvec({{n}}) <=> $5::real[]::halfvec({{n}})) AS cosine
FROM meanings AS m JOIN cases AS c USING (feedback_id)
WHERE m.model = '{{stamp}}' AND {_OFFERED}
ORDER BY m.vector::halfvec({{n}}) <=> $5::real[]::halfvec({{n}}) LIMIT $6
"""
# What does not fit is passed over in the index, instead of leaving fewer than were asked for.
GO_ON = "SET LOCAL hnsw.iterative_scan = strict_order"
_LOOKED_AT, _CLOSE, _COMPARED, _NEARBY = 200, 500, 30, 20


@dataclass(frozen=True, slots=True)
class Words:
    """A case whose meaning is not known yet; its words are masked."""

    feedback_id: str
    title: str
    text: str


def stamp(model: str) -> str:
    """What a row is marked with: another model, or another table of things, makes it anew. With an
    empty `model` what any mark of this table ends with."""
    return f"{model}{BEFORE_VERSION}{VERSION}"


async def waiting(connection: AsyncConnection, model: str, limit: int) -> list[Words]:
    """Cases without a meaning by `model`, the newest first; confidential ones never get one."""
    rows = await connection.exec_driver_sql(
        _WAITING.format(of=_OF[bool(model)]), (stamp(model), limit)
    )
    return [Words(row.feedback_id, row.title, row.text) for row in rows]


async def arrived(connection: AsyncConnection, model: str, ids: Sequence[str]) -> list[Words]:
    """Those of these cases."""
    rows = await connection.exec_driver_sql(
        _ARRIVED.format(of=_OF[bool(model)]), (stamp(model), list(ids))
    )
    return [Words(row.feedback_id, row.title, row.text) for row in rows]


async def progress(connection: AsyncConnection, model: str) -> tuple[int, int]:
    """How many cases there are to embed, and how many of them `model` has embedded."""
    row = (await connection.exec_driver_sql(_COUNT, (stamp(model),))).one()
    return row.cases, row.embedded


async def keep(tx: Transaction, model: str, made: Sequence[tuple[Words, Sequence[float]]]) -> None:
    """Keep what these cases mean, or with empty vectors what they name. They are locked: none is
    kept of a person erased meanwhile."""
    for words, vector in made:
        things = sorted(matter_of(f"{words.title}\n{words.text}").things)
        await tx.fetch(_KEEP, words.feedback_id, stamp(model), tx.now, things, list(vector))


async def forget(tx: Transaction, feedback_id: str) -> None:
    """Remove what a case means."""
    await tx.fetch("DELETE FROM meanings WHERE feedback_id = $1", feedback_id)


async def near(
    tx: Transaction, feedback_id: str, model: str, now: datetime, *, indexed: bool
) -> dict[str, float] | None:
    """Open or lately answered cases that name a thing of this one, and (where there is an index)
    the nearest of all, with their cosines to it; None where it has no vector yet.
    """
    mark = stamp(model)
    if not (found := await tx.fetch(_OWN, feedback_id, mark)):
        return None
    things, vector = found[0]["things"], found[0]["vector"]
    values = (feedback_id, NOT_OPEN, now - LATELY, NOT_OFFERED)
    if not indexed:
        rows = await tx.fetch(_SAME_THINGS, *values, things, mark, _LOOKED_AT) if things else []
        return {row["feedback_id"]: cosine(vector, row["vector"]) for row in rows}
    await tx.fetch(GO_ON)
    of_model = {"n": len(vector), "stamp": literal(mark)}
    near = await tx.fetch(_NEAREST.format(**of_model), *values, vector, _NEARBY)
    if things:
        closest = (things, vector, _CLOSE, _COMPARED)
        near = [*near, *await tx.fetch(_CLOSEST.format(**of_model), *values, *closest)]
    return {row["feedback_id"]: row["cosine"] for row in near}


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors of length 1; 0 where they are not of one kind."""
    return sum(map(operator.mul, one, other)) if len(one) == len(other) else 0.0
