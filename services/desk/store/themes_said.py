"""What the cases of a theme say: typical sentences, places, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.desk.domain.suggesting import sentences
from shared.messaging.transaction import Transaction

MOST, LONGEST = 3, 90
"""Sentences, and their letters."""
_ASKED = 12
_WORDS = """
SELECT w.feedback_id, w.title, left(w.text, 600) AS text
FROM words AS w JOIN cases AS c USING (feedback_id)
WHERE w.feedback_id = ANY($1::text[]) AND NOT c.confidential AND NOT c.erased
ORDER BY w.feedback_id DESC LIMIT $2
"""
_PLACES = """
SELECT btrim(place) AS place, count(*) AS n FROM cases
WHERE feedback_id = ANY($1::text[]) AND btrim(place) <> '' AND NOT confidential AND NOT erased
GROUP BY 1 ORDER BY n DESC, place LIMIT 3
"""
_OUTCOMES = """
SELECT outcome, count(*) AS n FROM (
    SELECT DISTINCT ON (feedback_id) data->>'outcome' AS outcome FROM timeline
    WHERE feedback_id = ANY($1::text[]) AND type = 'case.replied'
    ORDER BY feedback_id, seq DESC
) AS last WHERE outcome IS NOT NULL GROUP BY outcome ORDER BY n DESC, outcome
"""


async def quotes(tx: Transaction, feedback_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Ids and one masked sentence each of the newest of these cases; nothing of what is
    confidential or erased."""
    found: dict[str, str] = {}
    for row in await tx.fetch(_WORDS, list(feedback_ids), _ASKED):
        said = sentences(f"{row['title']}\n{row['text']}")
        fits = [one for one in said if len(one) <= LONGEST and one not in found]
        if fits and len(found) < MOST:
            found[fits[0]] = row["feedback_id"]
    return [(case, sentence) for sentence, case in found.items()]


async def places_and_outcomes(tx: Transaction, feedback_ids: Sequence[str]) -> dict[str, Any]:
    """``{places: [[where, n]], outcomes: [[outcome, n]]}``, the most frequent first."""
    ids = list(feedback_ids)
    return {
        "places": [(row["place"], row["n"]) for row in await tx.fetch(_PLACES, ids)],
        "outcomes": [(row["outcome"], row["n"]) for row in await tx.fetch(_OUTCOMES, ids)],
    }
