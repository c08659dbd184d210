"""What becomes of a comment: its case as we know it, what was said later, what is forgotten."""

from __future__ import annotations

from datetime import datetime

from services.intake.domain.submission import Submission
from services.intake.store.accepting import CLAIM, COLUMNS, CONTACT, Key, other_body, rows
from services.intake.store.tables import KEEP_KEYS, KEEP_NONCES, CaseRow, WordsRow
from shared.contracts.intake import Contact, PrivateErased
from shared.messaging.transaction import Transaction
from shared.privacy import mask


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Load what is known of these cases."""
    await tx.shelf(CaseRow).load(feedback_ids)


def case_of(tx: Transaction, feedback_id: str) -> CaseRow:
    """The row of a case; a new one where desk has told nothing yet."""
    return tx.shelf(CaseRow).get(feedback_id) or CaseRow(feedback_id=feedback_id)


async def find(tx: Transaction, code_hash: str) -> Submission | None:
    """The comment under a tracking code."""
    found = await rows(
        tx, f"SELECT {', '.join(COLUMNS)} FROM submissions WHERE code_hash = $1", code_hash
    )
    if not found:
        return None
    values = dict(zip(COLUMNS, found[0], strict=True))
    contact = Contact(**{name: values.pop(name) for name in CONTACT})
    return Submission(**values, contact=contact)


async def words_of(tx: Transaction, feedback_id: str) -> list[WordsRow]:
    """What was said later, oldest first."""
    shelf = tx.shelf(WordsRow)
    await shelf.load([feedback_id])
    return sorted(shelf.of(feedback_id), key=lambda row: row.words_id)


async def answered_before(tx: Transaction, key: Key, feedback_id: str) -> datetime | None:
    """When this key was answered first; claims it when it was not. `Conflict` for another body."""
    claimed = await rows(
        tx,
        CLAIM,
        [key.scope],
        [key.key],
        [key.body_hash],
        [feedback_id],
        [tx.now],
        tx.now - KEEP_KEYS,
    )
    if claimed:
        return None
    ((body_hash, at),) = await rows(
        tx, "SELECT body_hash, at FROM answers WHERE scope = $1 AND key = $2", key.scope, key.key
    )
    if body_hash != key.body_hash:
        raise other_body()
    first: datetime = at
    return first


async def recent_desks(tx: Transaction) -> list[str]:
    """Names of desks where something was entered lately."""
    found = await rows(
        tx,
        "SELECT DISTINCT desk FROM (SELECT desk FROM submissions WHERE desk IS NOT NULL "
        "ORDER BY feedback_id DESC LIMIT 500) AS lately ORDER BY desk LIMIT 50",
    )
    return [desk for (desk,) in found]


async def erase(tx: Transaction, feedback_id: str) -> bool:
    """Remove who a reporter is, here and (by a tombstone) everywhere; False for an unknown case.

    What stays is masked. The log of this service forgets too, so that sending it again does not
    bring anybody back.
    """
    found = await rows(
        tx,
        "SELECT name, on_behalf_of, title, text, place, desk FROM submissions "
        "WHERE feedback_id = $1",
        feedback_id,
    )
    if not found:
        return False
    await tx.lock(feedback_id)
    *names, title, text, place, desk = found[0]

    def plain(words: str | None) -> str | None:
        return None if words is None else mask(words, *names)

    await tx.connection.exec_driver_sql(
        "UPDATE submissions SET title = $2, text = $3, place = $4, desk = $5, on_behalf_of = NULL, "
        "name = NULL, email = NULL, phone = NULL, wechat_account = NULL, wechat_openid = NULL, "
        "erased_at = $6 WHERE feedback_id = $1",
        (feedback_id, *map(plain, (title, text, place, desk)), tx.now),
    )
    for words in await words_of(tx, feedback_id):
        words.text = mask(words.text, *names)
        tx.shelf(WordsRow).put(words)
    await tx.connection.exec_driver_sql(
        "DELETE FROM outbox WHERE topic = $1 AND key = $2", (PrivateErased.topic, feedback_id)
    )
    tx.emit(PrivateErased(feedback_id=feedback_id, at=tx.now))
    return True


async def forget_old(tx: Transaction) -> None:
    """Delete keys and nonces that no longer count."""
    for statement, age in (
        ("DELETE FROM answers WHERE at <= $1", KEEP_KEYS),
        ("DELETE FROM nonces WHERE seen_at <= $1", KEEP_NONCES),
    ):
        await tx.connection.exec_driver_sql(statement, (tx.now - age,))
