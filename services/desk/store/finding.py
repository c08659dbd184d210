"""Where in the cases of a page the words of a search stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.domain.search import Snippet, pattern, snippet, spans
from shared.db.engine import driver_of

Found = tuple[str, Snippet | None]
"""In what it stands, and the place: ``title``, ``place``, ``text``, the kind of a message;
``private`` where it stands only in what is not shown in a list; ``name``: an id or a code."""
# The words of a case and of its messages, of these cases alone: no index but their keys is asked.
# With nothing put to it, a plan for all words takes the index of letters for a common one, too.
_SOURCES = """
SELECT feedback_id, 'text' AS kind, text, NULL::timestamptz AS at FROM words
WHERE feedback_id = ANY($1::text[]) AND search || '' LIKE $2
UNION ALL
SELECT feedback_id, kind, text, at FROM messages
WHERE feedback_id = ANY($1::text[]) AND search || '' LIKE $2
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
    if not (asked := list(feedback_ids)):
        return set()
    found = await driver_of(connection).fetch(_HOLDING, asked, pattern(words))
    return {one["feedback_id"] for one in found}


async def find_in(
    connection: AsyncConnection, rows: Iterable[Mapping[str, Any]], words: str
) -> dict[str, Found]:
    """For each of these rows of `cases` where `words` stand in it, and what stands around them."""
    found: dict[str, Found] = {}
    rest = []
    for row in rows:
        feedback_id, place = row["feedback_id"], row["place"] or ""
        if spans(row["title"], words, at_most=1):
            found[feedback_id] = ("title", None)
        elif (hit := snippet(place, words)) is not None:
            found[feedback_id] = ("place", hit)
        else:
            rest.append(feedback_id)
    if not rest:
        return found
    for one in await driver_of(connection).fetch(_SOURCES, rest, pattern(words.strip())):
        hit = snippet(one["text"], words)
        if hit is not None:
            found.setdefault(one["feedback_id"], (one["kind"], hit))
    return {feedback_id: ("private", None) for feedback_id in rest} | found
