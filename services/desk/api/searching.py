"""A search: by words, and on its first page also by what they mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.deps import Deps
from services.desk.domain.matters import apart, matter_of, nearness
from services.desk.domain.search import asks, fused
from services.desk.domain.typed import as_meant
from services.desk.store import meanings
from services.desk.store.finding import find_in
from services.desk.store.looks import Wanted
from services.desk.store.queues import Question, meant, page
from shared.privacy import mask
from shared.service import Service

WITHIN = 0.25
"""Seconds for a vector; without one words alone are searched for."""
WITHIN_NAMED = 0.1
"""The same where a thing is named: most of what answers is found by that, and a list asks again."""
NEAR = 0.5
"""How near a case that shares no thing with the question has to be."""
MOST = 10
"""Cases on a page that are there for what they mean alone."""
_NAMES = 4
"""Words as short as this, which name no thing, may be somebody's name."""


async def question_of(service: Service[Deps], wanted: Wanted) -> Question | None:
    """What the words of a search mean, on its first page; None where they mean nothing to look for.

    Words that name nothing are read as somebody may have meant them (`read_as`). While nobody can
    say, or not in time, the things they name are all there is (`late`).
    """
    meaning, text = service.deps.meaning, mask(wanted.q.strip())
    if wanted.cursor or not asks(text):
        return None
    if meaning.embedder.off or meaning.embedder.missing:
        return None
    written, things = text, matter_of(text).things
    if not things:
        # The first of all loads a table.
        text = await asyncio.to_thread(as_meant, text)
        things = matter_of(text).things
    if not things and len(text) <= _NAMES:
        return None
    vector = await meaning.of(text, within=WITHIN_NAMED if things else WITHIN)
    stamp, indexed = meanings.stamp(meaning.embedder.model), meaning.indexed and vector is not None
    return Question(
        text,
        tuple(sorted(things)),
        vector or (),
        stamp,
        indexed,
        late=vector is None,
        read_as=text if text != written else "",
    )


async def find(
    connection: AsyncConnection, wanted: Wanted, question: Question | None
) -> tuple[list[Mapping[str, Any]], str | None, set[str]]:
    """The rows of a page, the cursor of the next one, and which of them hold the words themselves.

    With a `question` what has the words comes with what means the same, ranks fused; the pages
    after the first go on with the words.
    """
    if question is not None and not question.indexed and not question.things:
        question = None
    room = min(MOST, wanted.limit // 3) if question else 0
    rows, cursor = await page(connection, replace(wanted, limit=wanted.limit - room))
    in_words = {row["feedback_id"] for row in rows}
    if question is None:
        return rows, cursor, in_words
    named, *near = await meant(connection, wanted, question)
    asked = matter_of(question.text)
    close = [
        row
        for row in (near[0] if near else [])
        if nearness(question.text, row["title"], row["likeness"]) >= NEAR
        and not apart(asked, matter_of(row["title"]))
    ]
    if cursor:
        # They hold the words, too: a later page has them.
        others = [one for one in (*named, *close) if one["feedback_id"] not in in_words]
        held = await find_in(connection, others, wanted.q.strip())
        later = {one for one, (where, _) in held.items() if where != "private"}
        named = [row for row in named if row["feedback_id"] not in later]
        close = [row for row in close if row["feedback_id"] not in later]
    known = {row["feedback_id"]: row for row in (*rows, *named, *close)}
    order = fused(*([row["feedback_id"] for row in found] for found in (rows, named, close)))
    left, shown = wanted.limit - len(rows), []
    for one in order:
        if one in in_words or left > 0:
            shown.append(known[one])
            left -= one not in in_words
    return shown, cursor, in_words
