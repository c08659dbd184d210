"""What a department answered before to cases that name the same things."""

from __future__ import annotations

from typing import Any

from services.desk.store.meanings import cosine, stamp
from shared.messaging.transaction import Transaction

_LIKE = """
SELECT m.feedback_id, m.vector, own.vector AS own, c.replied_at, c.reopened > 0 AS reopened,
    r.text AS reply, r.outcome, s.stars
FROM meanings AS own
JOIN cases AS o ON o.feedback_id = own.feedback_id
JOIN meanings AS m ON m.things && own.things AND m.model = own.model
    AND m.feedback_id <> own.feedback_id
JOIN cases AS c ON c.feedback_id = m.feedback_id AND c.replied_at IS NOT NULL
    AND NOT c.confidential AND c.department IS NOT DISTINCT FROM o.department
JOIN LATERAL (SELECT text, outcome FROM messages WHERE feedback_id = c.feedback_id
    AND kind = 'reply' ORDER BY at DESC LIMIT 1) AS r ON true
LEFT JOIN LATERAL (SELECT (data->>'stars')::int AS stars FROM timeline
    WHERE feedback_id = c.feedback_id AND type = 'feedback.rated'
    ORDER BY seq DESC LIMIT 1) AS s ON true
WHERE own.feedback_id = $1 AND own.model = $2
ORDER BY c.replied_at DESC, c.feedback_id LIMIT 100
"""


async def answered_alike(tx: Transaction, feedback_id: str, model: str) -> list[dict[str, Any]]:
    """``{feedback_id, cosine, reply (masked), outcome, replied_at, reopened, stars}``, the latest
    hundred of the same department that name a thing of this case."""
    rows = await tx.fetch(_LIKE, feedback_id, stamp(model))
    return [
        {
            "feedback_id": row["feedback_id"],
            "cosine": cosine(row["own"], row["vector"]),
            **{n: row[n] for n in ("reply", "outcome", "replied_at", "reopened", "stars")},
        }
        for row in rows
    ]
