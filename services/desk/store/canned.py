"""Words that a reply may begin with."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import col, func, or_, select

from services.desk.store.tables import CannedReplyRow
from shared.contracts import SYSTEM, Actor
from shared.contracts.desk import CannedReplyListed
from shared.messaging.transaction import Transaction

AT_MOST = 100
"""Of each department, and for everybody: more are not chosen from, only scrolled through."""
_ORDER = (
    col(CannedReplyRow.department).asc().nulls_last(),
    col(CannedReplyRow.position),
    col(CannedReplyRow.title),
    col(CannedReplyRow.reply_id),
)


def list_reply(tx: Transaction, row: CannedReplyRow, *, by: Actor = SYSTEM) -> None:
    """Keep one as it is now, and emit it on the directory."""
    row.changed_at, row.changed_by = tx.now, by.name
    tx.session.add(row)
    tx.emit(CannedReplyListed(at=tx.now, by=by, **row.model_dump()))


async def count_use(tx: Transaction, reply_id: str) -> None:
    """It was inserted once more; several may do so at once. Emitted, so that a restored desk knows
    the number."""
    query = "UPDATE canned_replies SET used = used + 1 WHERE reply_id = $1 RETURNING *"
    for row in await tx.fetch(query, reply_id):
        tx.emit(CannedReplyListed(at=tx.now, by=SYSTEM, **dict(row)))


async def reply(tx: Transaction, reply_id: str, *, lock: bool = False) -> CannedReplyRow | None:
    """One of them; with `lock` nobody else changes it now."""
    return await tx.session.get(CannedReplyRow, reply_id, with_for_update=lock or None)


async def replies(
    tx: Transaction, departments: Collection[str] | None, *, active: bool = True
) -> list[CannedReplyRow]:
    """Those for everybody and of these departments (None: of all), as they are chosen from."""
    query = select(CannedReplyRow).order_by(*_ORDER)
    if departments is not None:
        theirs = col(CannedReplyRow.department)
        query = query.where(or_(theirs.is_(None), theirs.in_(list(departments))))
    if active:
        query = query.where(CannedReplyRow.active)
    return list(await tx.session.exec(query))


async def number(tx: Transaction, department: str | None) -> int:
    """How many of a department are in use; None: of those for everybody."""
    theirs = col(CannedReplyRow.department)
    same = theirs.is_(None) if department is None else theirs == department
    query = select(func.count()).where(same, CannedReplyRow.active)
    return int((await tx.session.exec(query)).one())
