"""What a department answered before to cases that name the same things, mean nearly the same, or
say it in nearly the same words."""

from __future__ import annotations

from typing import Any

from services.desk.store.meanings import GO_ON, cosine, stamp
from services.desk.store.similar import MATCHED_FROM
from shared.db.nearest import literal
from shared.messaging.transaction import Transaction

_OWN = """
SELECT o.department, m.things, m.vector, w.search
FROM cases AS o JOIN words AS w USING (feedback_id) JOIN meanings AS m USING (feedback_id)
WHERE o.feedback_id = $1 AND m.model = $2
"""
_ANSWERED = """
c.replied_at IS NOT NULL AND NOT c.confidential AND c.department IS NOT DISTINCT FROM $2
AND c.feedback_id <> $1
"""
_NAMED = f"""
SELECT m.feedback_id FROM meanings AS m JOIN cases AS c USING (feedback_id)
WHERE m.things && $3::varchar[] AND m.model = $4 AND {_ANSWERED}
ORDER BY c.replied_at DESC, c.feedback_id LIMIT 100
"""
_NEAREST = f"""
SELECT m.feedback_id FROM meanings AS m JOIN cases AS c USING (feedback_id)
WHERE m.model = '{{stamp}}' AND {_ANSWERED}
ORDER BY m.vector::halfvec({{n}}) <=> $3::real[]::halfvec({{n}}) LIMIT 20
"""
# Where nothing is indexed: texts of nearly the same words are also near in meaning.
_SAID = f"""
SELECT w.feedback_id FROM (
    SELECT feedback_id, similarity(search, $3) AS alike FROM words WHERE search % $3 OFFSET 0
) AS w JOIN cases AS c USING (feedback_id) WHERE {_ANSWERED}
ORDER BY w.alike DESC, w.feedback_id LIMIT 20
"""
_ANSWERS = """
SELECT m.feedback_id, m.vector, c.replied_at, c.reopened > 0 AS reopened,
    r.text AS reply, r.outcome, s.stars
FROM meanings AS m JOIN cases AS c USING (feedback_id)
JOIN LATERAL (SELECT text, outcome FROM messages WHERE feedback_id = c.feedback_id
    AND kind = 'reply' ORDER BY at DESC LIMIT 1) AS r ON true
LEFT JOIN LATERAL (SELECT (data->>'stars')::int AS stars FROM timeline
    WHERE feedback_id = c.feedback_id AND type = 'feedback.rated'
    ORDER BY seq DESC LIMIT 1) AS s ON true
WHERE m.feedback_id = ANY($1::text[]) AND m.model = $2
ORDER BY c.replied_at DESC, c.feedback_id
"""


async def answered_alike(
    tx: Transaction, feedback_id: str, model: str, *, indexed: bool, at_least: float
) -> list[dict[str, Any]]:
    """``{feedback_id, cosine, reply (masked), outcome, replied_at, reopened, stars}`` of the same
    department: the latest hundred that name a thing of this case, and the twenty nearest to it in
    meaning or, where vectors are not `indexed`, in words, `at_least` so far (from 0 to 1)."""
    if not (found := await tx.fetch(_OWN, feedback_id, stamp(model))):
        return []
    (own,) = found
    asked = (feedback_id, own["department"])
    rows = []
    if own["things"]:
        rows += await tx.fetch(_NAMED, *asked, own["things"], stamp(model))
    if indexed:
        await tx.fetch(GO_ON)
        near = _NEAREST.format(n=len(own["vector"]), stamp=literal(stamp(model)))
        rows += await tx.fetch(near, *asked, own["vector"])
    else:
        await tx.fetch(MATCHED_FROM, str(at_least))
        rows += await tx.fetch(_SAID, *asked, own["search"])
    ids = list({row["feedback_id"] for row in rows})
    return [
        {
            "feedback_id": row["feedback_id"],
            "cosine": cosine(own["vector"], row["vector"]),
            **{n: row[n] for n in ("reply", "outcome", "replied_at", "reopened", "stars")},
        }
        for row in await tx.fetch(_ANSWERS, ids, stamp(model))
    ]
