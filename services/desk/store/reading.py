"""Everything a page or an answer about one case is made of, in a handful of statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    MessageRow,
    PrivateRow,
    TimelineRow,
    WordsRow,
)

# What we told about the case and have not yet read back from the log: a writer sees it at once.
_PENDING = text(
    "SELECT ce_id, headers, body FROM outbox o WHERE key = :id AND seq IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM timeline t "
    "WHERE t.feedback_id = :id AND t.ce_id = o.ce_id) ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A fact of ours that is on its way through the log."""

    ce_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is known of a case."""

    case: Any
    words: Any
    decision: Any
    private: Any
    messages: list[Any]
    timeline: list[Any]
    pending: list[Pending]


async def read_case(connection: AsyncConnection, feedback_id: str) -> Any:
    """The row of a case, or None."""
    return await _one(connection, CaseRow, feedback_id)


async def read_whole(connection: AsyncConnection, feedback_id: str) -> Whole | None:
    """The case with everything around it, or None."""
    case = await _one(connection, CaseRow, feedback_id)
    if case is None:
        return None
    messages: Any = MessageRow.__table__
    timeline: Any = TimelineRow.__table__
    return Whole(
        case=case,
        words=await _one(connection, WordsRow, feedback_id),
        decision=await _one(connection, DecisionRow, feedback_id),
        private=await _one(connection, PrivateRow, feedback_id),
        messages=list(
            await connection.execute(
                select(messages)
                .where(messages.c.feedback_id == feedback_id)
                .order_by(messages.c.at, messages.c.message_id)
            )
        ),
        timeline=list(
            await connection.execute(
                select(timeline)
                .where(timeline.c.feedback_id == feedback_id)
                .order_by(timeline.c.seq)
            )
        ),
        pending=[
            Pending(row.headers["ce_type"], row.body)
            for row in await connection.execute(_PENDING, {"id": feedback_id})
        ],
    )


async def _one(connection: AsyncConnection, row_class: Any, feedback_id: str) -> Any:
    table = row_class.__table__
    query = select(table).where(table.c.feedback_id == feedback_id)
    return (await connection.execute(query)).first()
