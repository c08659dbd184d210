"""The cases that themes name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.messaging.transaction import Transaction


async def cases_in(tx: Transaction, feedback_ids: Sequence[str]) -> dict[str, Any]:
    """Those of these cases that are there, by the title that staff read: ``feedback_id, title,
    confidential, received_at, place, outcome``."""
    rows = await tx.connection.exec_driver_sql(
        "SELECT feedback_id, coalesce(measured ->> 'title', title) AS title, confidential, "
        "received_at, place, outcome FROM cases "
        "WHERE feedback_id = ANY($1::text[])",
        (list(feedback_ids),),
    )
    return {row.feedback_id: row for row in rows}
