"""Replies that are being written, each seen by its writer alone."""

from __future__ import annotations

from services.desk.store.tables import DraftRow
from shared.messaging.transaction import Transaction

LONGEST = 50_000


def keep(
    tx: Transaction,
    feedback_id: str,
    username: str,
    text: str,
    outcome: str | None,
    rule: str | None,
) -> None:
    """Keep what somebody has written so far, in the place of what they had before."""
    rows = tx.rows(DraftRow)
    rows.upsert(
        rows.new(
            feedback_id=feedback_id,
            username=username,
            text=text,
            outcome=outcome,
            rule=rule,
            saved_at=tx.now,
        )
    )


async def append(tx: Transaction, feedback_id: str, username: str, text: str) -> None:
    """Put words at the end of it, or begin one with them; what stands there is not put in again."""
    rows = tx.rows(DraftRow)
    await rows.load([feedback_id])
    own = next((r for r in rows.for_case(feedback_id) if r.username == username), None)
    written = own.text if own is not None else ""
    if text in written:
        return
    outcome, rule = (own.outcome, own.rule) if own is not None else (None, None)
    gap = " " if written[-1:].isascii() and written[-1:].strip() else ""
    keep(tx, feedback_id, username, (written + gap + text)[:LONGEST], outcome, rule)


async def has(tx: Transaction, feedback_id: str, username: str) -> bool:
    """Whether they have begun one."""
    found = await tx.fetch(
        "SELECT FROM drafts WHERE feedback_id = $1 AND username = $2", feedback_id, username
    )
    return bool(found)


def delete(tx: Transaction, feedback_id: str, username: str) -> None:
    """Forget it: it was sent, or thrown away."""
    rows = tx.rows(DraftRow)
    rows.delete(rows.new(feedback_id=feedback_id, username=username))
