"""Forgetting a person: what goes here, and the tombstones that make it go everywhere."""

from __future__ import annotations

from datetime import datetime

from services.intake.domain.later import Action
from services.intake.store import chats
from services.intake.store.cases import parts_of, words_of
from services.intake.store.pictures import forget_pictures
from services.intake.store.tables import WordsRow
from shared.contracts.intake import FeedbackPicturesErased, PrivateErased
from shared.ids import id_as_typed
from shared.messaging.retention import forget
from shared.messaging.transaction import Transaction
from shared.privacy import mask
from shared.security import code_hash, code_in

# In the order in which an entry point locks them: the submission, then the case.
_LOCKED = """
SELECT erased_at, name, on_behalf_of, title, text, place, desk FROM submissions
WHERE feedback_id = $1 FOR UPDATE
"""
_FORGET = """
UPDATE submissions SET title = $2, text = $3, place = $4, desk = $5, erased_at = $6,
  on_behalf_of = NULL, name = NULL, email = NULL, phone = NULL,
  wechat_account = NULL, wechat_openid = NULL
WHERE feedback_id = $1
"""


_WHOSE = """
WITH RECURSIVE up AS (
    SELECT feedback_id, parent FROM cases WHERE feedback_id = $1
    UNION
    SELECT c.feedback_id, c.parent FROM cases AS c JOIN up ON c.feedback_id = up.parent
)
SELECT feedback_id FROM submissions
WHERE feedback_id = $1 OR code_hash = $2 OR feedback_id IN (SELECT parent FROM up)
"""


async def whose(tx: Transaction, named: str) -> str | None:
    """The comment that somebody means by its id, its tracking code, or the id of a part of it:
    of whoever wrote it there is one, and all of them is about that person."""
    found = await tx.fetch(_WHOSE, id_as_typed(named), code_hash(code_in(named)))
    return found[0]["feedback_id"] if found else None


async def erase(tx: Transaction, feedback_id: str) -> datetime | None:
    """Remove who a reporter is; the moment when it was done first, None for an unknown case.

    The comment and what was said later stay, masked. The log of this service forgets too, so that
    sending it again brings nobody back. Every key of the case on ``feedback.private`` gets a
    tombstone, that of the comment last.
    """
    found = await tx.fetch(_LOCKED, feedback_id)
    if not found:
        return None
    erased_at, *names, title, text, place, desk = found[0]
    if erased_at is not None:
        first: datetime = erased_at
        return first
    parts = await parts_of(tx, feedback_id)
    await tx.lock(feedback_id, *parts)

    def plain(words: str | None) -> str | None:
        return None if words is None else mask(words, *names)

    await tx.fetch(_FORGET, feedback_id, *map(plain, (title, text, place, desk)), tx.now)
    await forget(tx, feedback_id)
    for words in await words_of(tx, feedback_id):
        words.text = mask(words.text, *names)
        tx.rows(WordsRow).upsert(words)
        if words.action == Action.SUPPLEMENT:
            tx.emit(PrivateErased(feedback_id=feedback_id, at=tx.now, words_id=words.words_id))
    await tx.fetch(
        "DELETE FROM questions WHERE feedback_id = ANY($1::text[])", [feedback_id, *parts]
    )
    await tx.fetch(
        "DELETE FROM unreached WHERE feedback_id = ANY($1::text[])", [feedback_id, *parts]
    )
    await chats.forget(tx, [feedback_id, *parts])
    await tx.fetch("DELETE FROM offers WHERE feedback_id = $1", feedback_id)
    await _forget_pictures(tx, feedback_id)
    for part in parts:
        await _erase_part(tx, part, names)
    tx.emit(PrivateErased(feedback_id=feedback_id, at=tx.now))
    return tx.now


async def _forget_pictures(tx: Transaction, feedback_id: str) -> None:
    """What is to be seen in a picture cannot be masked."""
    if await forget_pictures(tx, feedback_id):
        tx.emit(FeedbackPicturesErased(feedback_id=feedback_id, at=tx.now))


async def _erase_part(tx: Transaction, part: str, names: list[str | None]) -> None:
    """A part has no comment of its own, but the same person, and words said about it."""
    await forget(tx, part)
    await _forget_pictures(tx, part)
    for words in await words_of(tx, part):
        words.text = mask(words.text, *names)
        tx.rows(WordsRow).upsert(words)
        if words.action == Action.SUPPLEMENT:
            tx.emit(PrivateErased(feedback_id=part, at=tx.now, words_id=words.words_id))
    tx.emit(PrivateErased(feedback_id=part, at=tx.now))
