"""What becomes of a comment: its case as we know it, what was said later, what is outdated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake.domain.submission import Submission
from services.intake.store.accepting import CLAIM, COLUMNS, CONTACT, Key, other_body
from services.intake.store.chats import forget_chats
from services.intake.store.offers import forget_offers
from services.intake.store.questions import forget_questions
from services.intake.store.tables import (
    KEEP_KEYS,
    KEEP_NONCES,
    KEEP_PROOFS,
    CaseRow,
    SubmissionRow,
    WordsRow,
)
from services.intake.store.unreached import forget_unreached
from shared.contracts.intake import Contact
from shared.messaging.transaction import Transaction

_FIND = f"SELECT {', '.join(COLUMNS)}, erased_at FROM submissions"
_BY_CODE = f"{_FIND} WHERE code_hash = $1 FOR UPDATE"
_BY_ID = f"{_FIND} WHERE feedback_id = $1 FOR UPDATE"


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Load what is known of these cases."""
    await tx.rows(CaseRow).load(feedback_ids)


def case_of(tx: Transaction, feedback_id: str) -> CaseRow:
    """The row of a case; a new one before desk's first event."""
    return tx.rows(CaseRow).get(feedback_id) or CaseRow(feedback_id=feedback_id)


async def find(tx: Transaction, code_hash: str) -> Submission | None:
    """The comment under a tracking code, locked against an erasure that comes in between."""
    return _submission(await tx.fetch(_BY_CODE, code_hash))


async def find_by_id(tx: Transaction, feedback_id: str) -> Submission | None:
    """The same by its id."""
    return _submission(await tx.fetch(_BY_ID, feedback_id))


async def make_confidential(tx: Transaction, feedback_id: str) -> None:
    """Desk treats the comment as confidential, whether or not its reporter asked for it."""
    if tx.replay is not None:
        # Where the log is read again, the comment may stand in this batch only.
        await tx.flush()
    await tx.fetch(
        "UPDATE submissions SET confidential = true WHERE feedback_id = $1 AND NOT confidential",
        feedback_id,
    )
    if (row := tx.rows(SubmissionRow).get(feedback_id)) is not None:
        row.confidential = True


async def parts_of(tx: Transaction, feedback_id: str) -> list[str]:
    """What a comment was split into."""
    found = await tx.fetch(
        "SELECT feedback_id FROM cases WHERE parent = $1 ORDER BY feedback_id", feedback_id
    )
    return [part for (part,) in found]


def _submission(found: Sequence[Any]) -> Submission | None:
    if not found:
        return None
    *known, erased_at = found[0]
    values = dict(zip(COLUMNS, known, strict=True))
    contact = Contact(**{name: values.pop(name) for name in CONTACT})
    return Submission(**values, contact=contact, erased=erased_at is not None)


@dataclass(frozen=True, slots=True)
class Supplemented:
    """The last supplement of a case; `number` counts from 1."""

    number: int
    text: str
    at: datetime
    words_id: str


async def last_supplement(tx: Transaction, feedback_id: str) -> Supplemented | None:
    """What was added last, and the how-many-eth it was: 50 long texts need not be read for it."""
    found = await tx.fetch(
        "SELECT count(*) OVER (), text, at, words_id FROM words WHERE feedback_id = $1 "
        "AND action = 'supplement' ORDER BY words_id DESC LIMIT 1",
        feedback_id,
    )
    return Supplemented(*found[0]) if found else None


async def words_of(tx: Transaction, feedback_id: str) -> list[WordsRow]:
    """What was said later, oldest first."""
    rows = tx.rows(WordsRow)
    await rows.load([feedback_id])
    return sorted(rows.for_case(feedback_id), key=lambda row: row.words_id)


async def answered_before(tx: Transaction, key: Key, feedback_id: str) -> datetime | None:
    """When this key was answered first; claims it when it was not. `Conflict` for another body."""
    claimed = await tx.fetch(
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
    ((body_hash, at),) = await tx.fetch(
        "SELECT body_hash, at FROM answers WHERE scope = $1 AND key = $2", key.scope, key.key
    )
    if body_hash != key.body_hash:
        raise other_body(key)
    first: datetime = at
    return first


async def was_done(tx: Transaction, key: Key) -> str | None:
    """The case that this key was used for already."""
    found = await tx.fetch(
        "SELECT feedback_id FROM answers WHERE scope = $1 AND key = $2 AND body_hash = $3",
        key.scope,
        key.key,
        key.body_hash,
    )
    return str(found[0][0]) if found else None


async def recent_desks(tx: Transaction) -> list[str]:
    """Names of desks where something was entered lately."""
    found = await tx.fetch(
        "SELECT DISTINCT desk FROM (SELECT desk FROM submissions WHERE desk IS NOT NULL "
        "ORDER BY feedback_id DESC LIMIT 500) AS lately ORDER BY desk LIMIT 50",
    )
    return [desk for (desk,) in found]


async def forget_old(tx: Transaction) -> None:
    """Delete keys, nonces, questions, offers, chats and words that no longer count."""
    await forget_questions(tx)
    await forget_offers(tx)
    await forget_unreached(tx)
    await forget_chats(tx)
    for statement, age in (
        ("DELETE FROM answers WHERE at <= $1", KEEP_KEYS),
        ("DELETE FROM nonces WHERE seen_at <= $1", KEEP_NONCES),
        ("DELETE FROM proofs WHERE asked_at <= $1", KEEP_PROOFS),
    ):
        await tx.connection.exec_driver_sql(statement, (tx.now - age,))
