"""Queries of the tracking page."""

from __future__ import annotations

from sqlmodel import col, select

from services.tracking.domain.view import Line
from services.tracking.store.tables import CaseRow, LineRow
from shared.messaging.transaction import Transaction


async def case_by_code(tx: Transaction, code_hash: str) -> CaseRow | None:
    """The case a code belongs to; one index look-up, whether or not there is one."""
    found = await tx.session.exec(select(CaseRow).where(col(CaseRow.code_hash) == code_hash))
    return found.first()


async def lines_after(tx: Transaction, feedback_id: str, seq: int = 0) -> list[Line]:
    """The lines of a case with a higher number than `seq`, in order."""
    found = await tx.session.exec(
        select(LineRow)
        .where(col(LineRow.feedback_id) == feedback_id, col(LineRow.seq) > seq)
        .order_by(col(LineRow.seq))
    )
    return [Line(row.seq, row.at, row.type, row.data) for row in found]
