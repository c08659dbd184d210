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


async def cases_by_codes(tx: Transaction, hashes: list[str]) -> list[CaseRow]:
    """The cases of these codes, in this order; those that are not there yet are left out."""
    found = await tx.session.exec(select(CaseRow).where(col(CaseRow.code_hash).in_(hashes)))
    by_hash = {row.code_hash: row for row in found}
    return [by_hash[h] for h in hashes if h in by_hash]


async def cases_of(tx: Transaction, feedback_ids: list[str]) -> list[CaseRow]:
    """These cases, in this order; those that are not there yet are left out."""
    found = await tx.session.exec(select(CaseRow).where(col(CaseRow.feedback_id).in_(feedback_ids)))
    by_id = {row.feedback_id: row for row in found}
    return [by_id[i] for i in feedback_ids if i in by_id]


async def lines_after(tx: Transaction, feedback_id: str, seq: int = 0) -> list[Line]:
    """The lines of a case with a higher number than `seq`, in order."""
    found = await tx.session.exec(
        select(LineRow)
        .where(col(LineRow.feedback_id) == feedback_id, col(LineRow.seq) > seq)
        .order_by(col(LineRow.seq))
    )
    return [Line(row.seq, row.at, row.type, row.data) for row in found]
