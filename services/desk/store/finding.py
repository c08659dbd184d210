"""Where in the cases of a page the words of a search stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain.search import Snippet, pattern, snippet, spans, words_of
from shared.db.engine import driver_of

Found = tuple[str, Snippet | None]
"""In what it stands, and the place: ``title``, ``place``, ``text``, the kind of a message;
``private`` where it stands only in what is not shown in a list; ``name``: an id or a code."""
# The words of a case and of its messages, of these cases alone: no index but their keys is asked.
# With nothing put to it, a plan for all words takes the index of letters for a common one, too.
_SOURCES = """
SELECT feedback_id, 'text' AS kind, text, NULL::timestamptz AS at FROM words
WHERE feedback_id = ANY($1::text[]) AND search || '' LIKE ANY($2::text[])
UNION ALL
SELECT feedback_id, kind, text, at FROM messages
WHERE feedback_id = ANY($1::text[]) AND search || '' LIKE ANY($2::text[])
ORDER BY at DESC NULLS FIRST
"""
_HOLDING = """
SELECT feedback_id FROM words
WHERE feedback_id = ANY($1::text[]) AND (search || '' LIKE $2 OR search_place || '' LIKE $2)
UNION ALL
SELECT feedback_id FROM messages WHERE feedback_id = ANY($1::text[]) AND search || '' LIKE $2
"""


async def holding(connection: AsyncConnection, feedback_ids: Iterable[str], words: str) -> set[str]:
    """Those of these cases in which `words` stand, other than in what is personal."""
    found = set(feedback_ids)
    for word in words_of(words):
        if found:
            rows = await driver_of(connection).fetch(_HOLDING, list(found), pattern(word))
            found = {one["feedback_id"] for one in rows}
    return found


async def find_in(
    connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], words: str
) -> dict[str, Found]:
    """For each of these rows of `cases` where `words` stand in it, and what stands around them; of
    several those count that are not in the title."""
    asked = words_of(words)
    found: dict[str, Found] = {}
    rest: dict[str, list[str]] = {}
    for row in rows:
        feedback_id, place = row["feedback_id"], row["place"] or ""
        missing = [word for word in asked if not spans(row["title"], word, at_most=1)]
        if not missing:
            found[feedback_id] = ("title", None)
        elif (hit := _first(place, missing)) is not None:
            found[feedback_id] = ("place", hit)
        else:
            rest[feedback_id] = missing
    if not rest:
        return found
    patterns = [pattern(word) for word in asked]
    for one in await driver_of(connection).fetch(_SOURCES, list(rest), patterns):
        hit = _first(one["text"], rest[one["feedback_id"]])
        if hit is not None:
            found.setdefault(one["feedback_id"], (one["kind"], hit))
    return {feedback_id: ("private", None) for feedback_id in rest} | found


def _first(text: str, words: Iterable[str]) -> Snippet | None:
    return next((hit for word in words if (hit := snippet(text, word)) is not None), None)
