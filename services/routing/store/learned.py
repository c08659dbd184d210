"""Remembers what people taught and the versions of what was learned from it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.domain import Kinds, Lesson, Model

MOST = 20_000
"""The latest letters that are learned from; older ones say less about how things are now."""
KEPT = 20
"""Versions that are kept besides those that were ever in use."""
_AT_ONCE = 500
_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")

# Type and priority teach where a person said them; else they are what routing itself had guessed.
# What is confidential or about somebody's conduct teaches nothing: few cases, of few people.
_LESSONS = """
SELECT l.feedback_id, l.at, l.department, l.category, c.title, left(c.text, 600) AS text, v.vector,
       CASE WHEN said THEN l.case_type END AS case_type,
       CASE WHEN said THEN l.priority END AS priority
FROM labels l JOIN cases c USING (feedback_id) JOIN vectors v USING (feedback_id)
LEFT JOIN examples e USING (feedback_id),
LATERAL (SELECT l.how IN ('dispatched', 'corrected')
         OR (l.how = 'answered' AND e.feedback_id IS NOT NULL) AS said) AS by_person
WHERE v.model = $1 AND NOT c.confidential AND l.category IS DISTINCT FROM 'conduct'
  AND l.department = ANY($2::varchar[])
"""
_IMPORTED = """
SELECT batch, number, department, category, vector, grams, batch <> ALL($2::varchar[]) AS new
FROM lessons
WHERE embedder = $1 ORDER BY at NULLS FIRST, batch, number
"""
_NEW = f"SELECT count(*), max(at) FROM ({_LESSONS} AND l.at > $3) AS new"
_BATCHES = """
SELECT batch, count(*) AS letters FROM lessons WHERE embedder = $1 GROUP BY batch ORDER BY batch
"""
_LINES = "SELECT number FROM lessons WHERE batch = $1 AND embedder = $2"
_PLACE = """
UPDATE lessons SET at = $3, department = $4, category = $5 WHERE batch = $1 AND number = $2
"""
_LEARNED = "SELECT measured -> 'batches' FROM versions WHERE version = $1"
# What another file said already was learned once; where both differ, the later one is right.
_TWICE = """
DELETE FROM lessons n USING lessons o
WHERE n.batch = $1 AND o.batch <> $1 AND o.embedder = n.embedder
  AND o.grams = n.grams AND o.department = n.department
"""
_CORRECTED_NOW = """
DELETE FROM lessons o USING lessons n
WHERE n.batch = $1 AND o.batch <> $1 AND o.embedder = n.embedder AND o.grams = n.grams
"""
_CHOSEN = "SELECT version FROM version_choices ORDER BY number DESC LIMIT 1"
_TAKE = """
INSERT INTO version_choices (number, at, version, by)
SELECT coalesce(max(number), 0) + 1, $1, $2, $3 FROM version_choices
"""
_KEEP = """
INSERT INTO versions (version, at, by, source, embedder, letters, until, measured, body)
SELECT greatest(max(version), (SELECT max(model_version) FROM decisions), 0) + 1,
       $1, $2, $3, $4, $5, $6, $7::jsonb, $8 FROM versions
RETURNING version
"""
_PRUNE = """
DELETE FROM versions WHERE version NOT IN (SELECT version FROM version_choices)
  AND version NOT IN (SELECT version FROM versions ORDER BY version DESC LIMIT $1)
"""
_LISTED = """
SELECT v.version, v.at, v.by, v.source, v.letters, v.until, v.measured, v.embedder,
       max(c.at) AS taken_at, (array_agg(c.by ORDER BY c.number DESC))[1] AS taken_by
FROM versions v LEFT JOIN version_choices c USING (version)
GROUP BY v.version ORDER BY v.version DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class InUse:
    """The version that was taken last, and until when its labels go."""

    version: int
    model: Model
    until: datetime | None = None
    kinds: Kinds | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """How much there is to learn from."""

    letters: int
    new_cases: int
    """Labelled since the version in use was learned."""
    new_imported: int
    until: datetime | None
    """When the last label was given."""
    batches: list[str]
    """Of all imported files."""

    @property
    def new(self) -> int:
        return self.new_cases + self.new_imported


async def lessons(
    driver: asyncpg.Connection,
    embedder: str,
    departments: Sequence[str],
    *,
    since: datetime | None = None,
    learned: Sequence[str] = (),
) -> AsyncGenerator[Sequence[Lesson], None]:
    """What there is to learn from, the oldest first; imported history before this system's cases.

    It is read in pieces, as it was at one moment. What was labelled after `since`, or is of a file
    that is not among `learned`, is new.
    """
    async with driver.transaction(isolation="repeatable_read", readonly=True):
        async for some in _read(driver, embedder, departments, since or _LONG_AGO, list(learned)):
            yield some


async def _read(
    driver: asyncpg.Connection,
    embedder: str,
    departments: Sequence[str],
    since: datetime,
    learned: list[str],
) -> AsyncGenerator[Sequence[Lesson], None]:
    total = await driver.fetchval(
        f"SELECT count(*) FROM ({_LESSONS}) AS all_of_them", embedder, list(departments)
    )
    imported = await driver.fetchval("SELECT count(*) FROM lessons WHERE embedder = $1", embedder)
    skipped = max(0, total - MOST)
    left_out = max(0, imported + min(total, MOST) - MOST)
    known: list[Lesson] = []
    async for row in driver.cursor(f"{_IMPORTED} OFFSET {left_out:d}", embedder, learned):
        one = Lesson(row["department"], row["vector"], row["category"], grams=row["grams"])
        known.append(replace(one, new=row["new"]))
        if len(known) == _AT_ONCE:
            yield known
            known = []
    ordered = f"{_LESSONS} ORDER BY l.at, l.feedback_id OFFSET {skipped:d}"
    async for row in driver.cursor(ordered, embedder, list(departments)):
        words = (row["title"], row["text"])
        one = Lesson(row["department"], row["vector"], row["category"], *words)
        kinds = {"case_type": row["case_type"], "priority": row["priority"]}
        known.append(replace(one, new=row["at"] > since, **kinds))
        if len(known) == _AT_ONCE:
            yield known
            known = []
    if known:
        yield known


async def counted(
    driver: asyncpg.Connection,
    embedder: str,
    departments: Sequence[str],
    since: datetime | None,
    learned: Sequence[str] = (),
) -> Known:
    """How many lessons there are, and how many of them are new, as in `lessons`."""
    files = {row["batch"]: row["letters"] for row in await driver.fetch(_BATCHES, embedder)}
    values = (embedder, list(departments))
    of_cases = await driver.fetchval(f"SELECT count(*) FROM ({_LESSONS}) AS l", *values)
    new, until = await driver.fetchrow(_NEW, *values, since or _LONG_AGO)
    return Known(
        letters=min(MOST, sum(files.values()) + of_cases),
        new_cases=new,
        new_imported=sum(count for batch, count in files.items() if batch not in learned),
        until=until or since,
        batches=list(files),
    )


async def batches_of(driver: asyncpg.Connection, version: int) -> list[str]:
    """The files that a version has learned from."""
    return list(await driver.fetchval(_LEARNED, version) or ())


async def learned_until(connection: AsyncConnection) -> datetime | None:
    """Up to which label any version has learned, also one that was taken back."""
    found = await connection.exec_driver_sql("SELECT max(until) FROM versions")
    until: datetime | None = found.scalar()
    return until


async def imported_before(driver: asyncpg.Connection, batch: str, embedder: str) -> set[int]:
    """The lines of a file that were embedded already."""
    rows = await driver.fetch(_LINES, batch, embedder)
    return {row["number"] for row in rows}


async def place_imported(
    driver: asyncpg.Connection,
    batch: str,
    letters: Sequence[tuple[int, datetime | None, str, str | None]],
) -> None:
    """What was embedded before: when it was, whose it is and its category, as it is said now."""
    values = [(batch, *one) for one in letters]
    await driver.executemany(_PLACE, values)


async def settle_imported(driver: asyncpg.Connection, batch: str) -> int:
    """A letter that another file had already counts once, as the later one says; how many did."""
    again = int((await driver.execute(_TWICE, batch)).split()[-1])
    corrected = int((await driver.execute(_CORRECTED_NOW, batch)).split()[-1])
    return again + corrected


async def keep_imported(
    driver: asyncpg.Connection,
    batch: str,
    embedder: str,
    letters: Sequence[tuple[int, datetime | None, Lesson]],
) -> None:
    """Keep letters of a file, by their line, in place of what it said there before."""
    await driver.executemany(
        "INSERT INTO lessons (batch, number, at, department, category, embedder, vector, grams) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (batch, number) DO UPDATE "
        "SET at = EXCLUDED.at, department = EXCLUDED.department, category = EXCLUDED.category, "
        "embedder = EXCLUDED.embedder, vector = EXCLUDED.vector, grams = EXCLUDED.grams",
        [
            (batch, number, at, o.owner, o.category, embedder, list(o.vector), list(o.grams or ()))
            for number, at, o in letters
        ],
    )


async def keep_version(
    connection: AsyncConnection,
    model: Model,
    *,
    at: datetime,
    by: str | None,
    source: str,
    until: datetime | None,
    measured: dict[str, Any],
    kinds: Kinds | None = None,
) -> int:
    """Keep a version, not yet in use; gives its number. Old ones that were never used go."""
    values = (at, by, source, model.embedder, model.letters, until)
    body = model.model_dump(mode="json")
    if kinds is not None:
        # Beside the fields of the model: code that knows none of it reads the rest.
        body["kinds"] = kinds.model_dump(mode="json")
    texts = (to_json(measured).decode(), to_json(body).decode())
    found = await connection.exec_driver_sql(_KEEP, values + texts)
    version: int = found.scalar_one()
    await connection.exec_driver_sql(_PRUNE, (KEPT,))
    return version


async def take_version(
    connection: AsyncConnection, version: int, *, at: datetime, by: str | None
) -> bool:
    """Take a version into use from now on, 0 being what is shipped; False where there is none."""
    if version:
        found = await connection.exec_driver_sql(
            "SELECT 1 FROM versions WHERE version = $1", (version,)
        )
        if found.first() is None:
            return False
    await connection.exec_driver_sql(_TAKE, (at, version, by))
    return True


async def chosen_version(connection: AsyncConnection) -> int:
    """The version in use; 0 is what is shipped."""
    return (await connection.exec_driver_sql(_CHOSEN)).scalar() or 0


async def version_of(connection: AsyncConnection, version: int) -> InUse | None:
    """A version, ready for use. ValueError where this code cannot read it."""
    rows = await connection.exec_driver_sql(
        "SELECT body, until FROM versions WHERE version = $1", (version,)
    )
    row = rows.first()
    if row is None:
        return None
    body = from_json(row.body)
    kinds = Kinds.model_validate(body["kinds"]) if body.get("kinds") else None
    return InUse(version, Model.model_validate(body), row.until, kinds)


async def versions(connection: AsyncConnection) -> list[dict[str, Any]]:
    """All versions that are kept, the newest first, without their weights."""
    rows = await connection.exec_driver_sql(_LISTED)
    return [dict(row._mapping) for row in rows]


# What was sent and came back is judged too: it was wrong, whatever became of it then.
_JUDGED = """
SELECT {key} AS key, count(*) AS cases, count(*) FILTER (WHERE d.confident) AS sent,
       count(*) FILTER (WHERE d.confident AND (l.department IS NOT NULL OR back)) AS sent_known,
       count(*) FILTER (WHERE d.confident AND same AND NOT back) AS sent_right,
       count(*) FILTER (WHERE l.department IS NOT NULL) AS known,
       count(*) FILTER (WHERE same) AS first_right,
       count(*) FILTER (WHERE back OR (l.department IS NOT NULL AND NOT same)) AS corrected
FROM decisions d LEFT JOIN labels l USING (feedback_id),
LATERAL (SELECT coalesce(l.department = d.department OR l.department = d.category, false) AS same,
                d.returned_by <> '[]'::jsonb AS back) AS found
WHERE d.at >= $1 AND NOT d.emergency
GROUP BY 1 ORDER BY {order} LIMIT 60
"""
_KEYS = {
    "week": (
        "to_char(date_trunc('week', d.at AT TIME ZONE 'Asia/Shanghai'), 'YYYY-MM-DD')",
        "1 DESC",
    ),
    "department": ("d.department", "2 DESC, 1"),
    "category": ("d.category", "2 DESC, 1"),
}


async def judged(connection: AsyncConnection, by: str, since: datetime) -> list[dict[str, Any]]:
    """How often decisions were right, ``week`` by week, by ``department`` or by ``category``.

    `key`, `cases`, `sent` without a person, of these `sent_known` in the end and `sent_right`;
    of all `known` the `first_right`; `corrected` by people, or sent back. Emergencies are sent
    whatever they are, and do not count.
    """
    key, order = _KEYS[by]
    rows = await connection.exec_driver_sql(_JUDGED.format(key=key, order=order), (since,))
    return [dict(row._mapping) for row in rows]
