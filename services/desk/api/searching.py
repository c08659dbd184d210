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
from services.desk.store.finding import holding
from services.desk.store.looks import Wanted
from services.desk.store.queues import Question, hits, looking, meant, page, some
from shared.privacy import PLACEHOLDERS, mask
from shared.security import code_in
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


async def as_read(service: Service[Deps], wanted: Wanted) -> Wanted:
    """The search that was meant: words that name nothing, and stand in no case, are read as the
    ones of the table that they may be, on every page of it. What is masked in them names a person:
    they are looked for as they stand."""
    text = wanted.q.strip()
    if mask(text) != text or _names_a_case(service, wanted):
        return wanted
    if not asks(text) or matter_of(text).things:
        return wanted
    # The first of all loads a table.
    read = await asyncio.to_thread(as_meant, text)
    if read == text or await _stands_somewhere(service, wanted):
        return wanted
    return replace(wanted, q=read)


def _matter_in(wanted: Wanted) -> str:
    """The words of a search without what is masked in them: that is a person, and no matter."""
    text = mask(wanted.q.strip())
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, " ")
    return text.strip()


def _names_a_case(service: Service[Deps], wanted: Wanted) -> bool:
    """A code names its case, whatever its letters look like."""
    return service.runtime.signer.is_genuine(code_in(wanted.q))


async def question_of(service: Service[Deps], wanted: Wanted) -> Question | None:
    """What the words of a search, `as_read`, mean, on its first page; None where they mean nothing
    to look for. While nobody can say, or not in time, the things they name are all there is
    (`late`).
    """
    meaning, text = service.deps.meaning, _matter_in(wanted)
    if wanted.cursor or _names_a_case(service, wanted) or not asks(text):
        return None
    things = matter_of(text).things
    if not things and len(text) <= _NAMES:
        return None
    vector = await meaning.of(text, within=WITHIN_NAMED if things else WITHIN)
    stamp, indexed = meanings.stamp(meaning.model), meaning.indexed and vector is not None
    return Question(text, tuple(sorted(things)), vector or (), stamp, indexed, late=vector is None)


async def _stands_somewhere(service: Service[Deps], wanted: Wanted) -> bool:
    """Whether a case of any list, that this person may see, has the words as they are written."""
    asked = Wanted(
        wanted.scopes, wanted.accounts, wanted.own_department, wanted.now, q=wanted.q, limit=1
    )
    async with service.engine.connect() as connection, looking(connection, by_meaning=False):
        rows, _ = await hits(connection, asked)
    return bool(rows)


async def find(
    connection: AsyncConnection, wanted: Wanted, question: Question | None
) -> tuple[list[Mapping[str, Any]], str | None, set[str]]:
    """The rows of a page, the cursor of the next one, and which of them hold the words themselves.

    With a `question` what has the words comes with what means the same, ranks fused; the pages
    after the first go on with the words.
    """
    if not wanted.q.strip():
        rows, cursor = await page(connection, wanted)
        return rows, cursor, set()
    if question is not None and not question.indexed and not question.things:
        question = None
    room = min(MOST, wanted.limit // 3) if question else 0
    rows, cursor = await hits(connection, replace(wanted, limit=wanted.limit - room))
    shown = [row["feedback_id"] for row in rows]
    in_words = set(shown)
    if question is not None:
        left = wanted.limit - len(rows)
        shown = await _with_meant(connection, wanted, question, shown, left, more=bool(cursor))
    known = await some(connection, shown)
    return [known[one] for one in shown if one in known], cursor, in_words


async def _with_meant(
    connection: AsyncConnection,
    wanted: Wanted,
    question: Question,
    in_words: list[str],
    left: int,
    *,
    more: bool,
) -> list[str]:
    """These cases, and as many as there is room `left` for that mean the same, ranks fused; `more`
    hold the words and are on the pages after this one."""
    named, *near = await meant(connection, wanted, question)
    asked = matter_of(question.text)
    close = [
        row
        for row in (near[0] if near else [])
        if nearness(question.text, row["title"], row["likeness"]) >= NEAR
        and not apart(asked, matter_of(row["title"]))
    ]
    lists = [[row["feedback_id"] for row in found] for found in (named, close)]
    if more and (others := {one for found in lists for one in found}.difference(in_words)):
        later = await holding(connection, others, wanted.q.strip())
        lists = [[one for one in found if one not in later] for found in lists]
    shown = []
    for one in fused(in_words, *lists):
        if one in in_words or left > 0:
            shown.append(one)
            left -= one not in in_words
    return shown
