"""A library's own history: looked through, masked, embedded, and kept as lessons without words."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from services.routing.deps import Deps
from services.routing.domain import Lesson
from services.routing.domain.history import Column, Owners, Past, Understood, columns_of
from services.routing.domain.model import hashed
from services.routing.store import learned
from shared.db.engine import driver_of
from shared.embeddings import Embedder, EmbedderAway, Vector, beginning
from shared.privacy import mask
from shared.service import Service
from shared.spreadsheets import Table, open_table


class ColumnMissing(KeyError):
    """A column that is needed and was not found; says how the file was read."""

    def __init__(self, column: str, table: Table) -> None:
        super().__init__(column)
        self.how, self.header = table.how, table.header


Tell = Callable[[str], None]

AT_ONCE = 32
"""Texts between two words of progress."""
_PATIENCE = 60
"""Seconds for which an embedder that is away is waited for."""


def look_through(
    path: Path, given: dict[Column, str], owners: Owners, *, now: datetime
) -> tuple[dict[Column, str], Understood]:
    """What the columns are, by name, and what the rows say. Raises OSError, UnreadableTable,
    and KeyError for a column that is not there."""
    table = open_table(path)
    columns = columns_of(table.header, given)
    for needed in (Column.TEXT, Column.DEPARTMENT):
        if needed not in columns:
            raise ColumnMissing(needed.value, table)
    understood = Understood(how=table.how, unreadable=table.unreadable)
    for line, row in table.rows:
        understood.take(line, row, columns, owners, now=now)
    understood.settle()
    return {column: table.header[at] for column, at in columns.items()}, understood


async def keep_lessons(
    service: Service[Deps], path: Path, letters: list[Past], buckets: int, tell: Tell
) -> int:
    """Embed letters, masked, and keep what they mean and where they went; how many.

    A file that was imported before, or begun, goes on from there. Raises `EmbedderAway`.
    """
    embedder = service.deps.meaning.embedder
    batch = await asyncio.to_thread(_batch_of, path)
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = driver_of(connection)
        known = await learned.imported_before(driver, batch, embedder.model)
        before = [one for one in letters if one.line in known]
        placed = [(one.line, one.at, one.owner, one.category) for one in before]
        await learned.place_imported(driver, batch, placed)
        if before:
            tell(f"understood {len(before)} of {len(letters)} before")
        left = [one for one in letters if one.line not in known]
        for first in range(0, len(left), AT_ONCE):
            some = left[first : first + AT_ONCE]
            masked = [(mask(one.title), mask(one.text)) for one in some]
            vectors = await _embedded(embedder, [beginning(*words) for words in masked])
            lessons = [
                Lesson(one.owner, vector, one.category, grams=hashed(*words, buckets))
                for one, words, vector in zip(some, masked, vectors, strict=True)
            ]
            rows = [(one.line, one.at, it) for one, it in zip(some, lessons, strict=True)]
            await learned.keep_imported(driver, batch, embedder.model, rows)
            done = len(before) + first + len(some)
            if first // AT_ONCE % 10 == 9 or done == len(letters):
                tell(f"understood {done} of {len(letters)} ({done / len(letters):.0%})")
        if again := await learned.settle_imported(driver, batch):
            tell(f"{again} of them were in another file already: they count once")
    return len(letters)


def _batch_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


async def _embedded(embedder: Embedder, texts: list[str]) -> list[Vector]:
    """Vectors, also where the embedder has to be waited for."""
    for _ in range(_PATIENCE):
        try:
            return await embedder.embed(texts, kind="query", within=300)
        except EmbedderAway:
            await asyncio.sleep(1)
    return await embedder.embed(texts, within=300)
