"""Which cases hang together by having been joined, however many steps apart."""

from __future__ import annotations

from services.desk.store.tables import CaseRow
from shared.messaging.transaction import Transaction

_TREE = """
WITH RECURSIVE above AS (
    SELECT feedback_id, merged_into FROM cases WHERE feedback_id = ANY($1::text[])
    UNION
    SELECT c.feedback_id, c.merged_into FROM above
    JOIN cases AS c ON c.feedback_id = above.merged_into
), tree AS (
    SELECT c.feedback_id, c.merged FROM above JOIN cases AS c USING (feedback_id)
    UNION
    SELECT c.feedback_id, c.merged FROM tree
    CROSS JOIN LATERAL jsonb_array_elements_text(tree.merged) AS m (id)
    JOIN cases AS c ON c.feedback_id = m.id
) SELECT feedback_id FROM tree WHERE feedback_id <> $2
"""


_FORMERLY = """
SELECT data->>'into' AS id FROM timeline WHERE feedback_id = $1 AND type = 'case.merged'
UNION
SELECT data->>'merged' FROM timeline WHERE feedback_id = $1 AND type = 'case.absorbed'
"""


async def joined_with(tx: Transaction, row: CaseRow, *also: str) -> list[str]:
    """All others of the tree that a case stands in; what this very transaction joins to it, or it
    to, counts, though it is not written yet. `also`: of the trees of these cases, too."""
    if row.merged_into is None and not row.merged and not also:
        return []
    into = [row.merged_into] if row.merged_into else []
    near = [row.feedback_id, *row.merged, *into, *also]
    return [found["feedback_id"] for found in await tx.fetch(_TREE, near, row.feedback_id)]


async def ever_joined_with(tx: Transaction, row: CaseRow) -> list[str]:
    """The same, with what it was joined to, or was joined to it, and was parted since."""
    formerly = [found["id"] for found in await tx.fetch(_FORMERLY, row.feedback_id)]
    return await joined_with(tx, row, *filter(None, formerly))
