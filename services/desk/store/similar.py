"""Cases with words like those of another, by the trigram index of the search."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.desk.domain.promises import NOT_OPEN
from services.desk.store.tables import CaseRow, WordsRow
from shared.contracts.vocabulary import State
from shared.messaging.transaction import Transaction

LATELY = timedelta(days=14)
"""How long after its answer a case is still worth being pointed at."""
_LOOKED_AT = 50
_ENOUGH = 500
"""Thousands that wrote the same are one matter: the nearest of the first so many will do."""
MATCHED_FROM = "SELECT set_config('pg_trgm.similarity_threshold', $1, true)"
"""From where on `%` matches, in this transaction."""
# `%` is the index's own operator, with the threshold set before: nothing is computed for the rest.
# OFFSET 0 keeps the limit from tempting the planner to compare with every text there is.
_ALIKE = """
SELECT feedback_id FROM (
    SELECT alike.feedback_id, alike.search, alike.own FROM (
        SELECT o.feedback_id, o.search, w.search AS own FROM words AS w
        JOIN words AS o ON o.search % w.search AND o.feedback_id <> w.feedback_id
        WHERE w.feedback_id = $1 OFFSET 0
    ) AS alike JOIN cases AS c ON c.feedback_id = alike.feedback_id
    WHERE (c.next_due_at < $2 OR c.replied_at > $3) AND c.state <> ALL($4::text[]) LIMIT $6
) AS enough ORDER BY similarity(search, own) DESC, feedback_id LIMIT $5
"""
NOT_OFFERED = [State.MERGED, State.WITHDRAWN, State.SPAM, State.REJECTED]


async def words_like(
    tx: Transaction, feedback_id: str, now: datetime, *, at_least: float
) -> list[str]:
    """Open or lately answered cases whose words are nearly those of this one, the nearest first.

    `at_least`: how much of the three-letter groups has to be the same, from 0 to 1.
    """
    await tx.fetch(MATCHED_FROM, str(at_least))
    since = now - LATELY
    rows = await tx.fetch(_ALIKE, feedback_id, NOT_OPEN, since, NOT_OFFERED, _LOOKED_AT, _ENOUGH)
    return [row["feedback_id"] for row in rows]


async def with_words(
    tx: Transaction, feedback_ids: list[str]
) -> list[tuple[CaseRow, WordsRow | None]]:
    """These cases with their masked words."""
    await tx.load(feedback_ids, CaseRow, WordsRow)
    cases = [tx.rows(CaseRow).get(i) for i in feedback_ids]
    return [(row, tx.rows(WordsRow).get(row.feedback_id)) for row in cases if row is not None]
