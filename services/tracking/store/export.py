"""One row per case, as long as the list may be: read in portions, each a query of its own.

A slow reader of a long file holds neither a transaction nor memory.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.tracking.domain.board import Question
from services.tracking.store.board import conditions
from services.tracking.store.tables import WAS_SPLIT
from shared.db.compiled import Compiled

AT_A_TIME = 1_000
_COLUMNS = (
    "c.feedback_id, c.received_at, c.channel, c.place, c.title, c.confidential, c.state, "
    "c.department, c.category, c.case_type, c.priority, c.reporter_group, c.dispatches, c.returns, "
    "c.reopenings, c.first_dispatched_at, c.first_replied_at, c.replied_at, c.outcome, c.extended, "
    f"c.stars, c.solved, c.promises, c.measured, {WAS_SPLIT}"
)


async def cases_received(engine: AsyncEngine, question: Question) -> AsyncIterator[list[Any]]:
    """The cases received in the period, oldest first, up to `AT_A_TIME` together."""
    filters, values = conditions(question)
    statement = _compiled(
        f"SELECT {_COLUMNS} FROM cases c WHERE c.received_at >= :first AND c.received_at < :last "
        f"AND (c.received_at, c.feedback_id) > (:at, :id) {filters} "
        f"ORDER BY c.received_at, c.feedback_id LIMIT {AT_A_TIME}"
    )
    at: datetime = question.first
    seen = ""
    while True:
        given = values | {"first": question.first, "last": question.last, "at": at, "id": seen}
        async with engine.connect() as connection:
            rows = await statement.fetch(connection, given)
        if rows:
            yield [_case(row) for row in rows]
            at, seen = rows[-1]["received_at"], rows[-1]["feedback_id"]
        if len(rows) < AT_A_TIME:
            return


def _case(row: Any) -> Any:
    case = SimpleNamespace(**row)
    for name in ("promises", "measured"):
        value = getattr(case, name)
        if isinstance(value, str):
            setattr(case, name, json.loads(value))
    return case


@lru_cache(maxsize=50)
def _compiled(statement: str) -> Compiled:
    return Compiled(text(statement))
