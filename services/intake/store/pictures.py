"""Pictures: kept in the transaction that accepts the words, gone in the one that erases them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.pictures import KEPT_AS, Picture
from shared.messaging.transaction import Transaction

_KEEP = """
INSERT INTO pictures (picture_id, feedback_id, words_id, seq, content_type, width, height, content,
  received_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[],
  $7::int[], $8::bytea[], $9::timestamptz[])
"""


@dataclass(frozen=True, slots=True)
class WithPictures:
    """A comment (without `words_id`), or what was said later, and the pictures in it."""

    feedback_id: str
    words_id: str | None
    pictures: Sequence[Picture]
    at: datetime


async def keep_pictures(tx: Transaction, messages: Sequence[WithPictures]) -> None:
    """Keep the pictures of these messages; nothing is asked where there are none."""
    rows = [
        (
            *(one.picture_id, message.feedback_id, message.words_id, seq, KEPT_AS),
            *(one.width, one.height, one.content, message.at),
        )
        for message in messages
        for seq, one in enumerate(message.pictures)
    ]
    if rows:
        await tx.fetch(_KEEP, *(list(column) for column in zip(*rows, strict=True)))


async def pictures_of(tx: Transaction, feedback_id: str) -> int:
    """How many a case has."""
    ((kept,),) = await tx.fetch("SELECT count(*) FROM pictures WHERE feedback_id = $1", feedback_id)
    return int(kept)


async def digests_of(tx: Transaction, words_id: str) -> list[str]:
    """What came with these words, as `Picture.digest` says it, in order."""
    found = await tx.fetch(
        "SELECT encode(sha256(content), 'hex') FROM pictures WHERE words_id = $1 ORDER BY seq",
        words_id,
    )
    return [digest for (digest,) in found]


async def picture(tx: Transaction, picture_id: str) -> tuple[str, bytes] | None:
    """Its type and its bytes; None where there is none any more."""
    found = await tx.fetch(
        "SELECT content_type, content FROM pictures WHERE picture_id = $1", picture_id
    )
    return (found[0][0], found[0][1]) if found else None


async def forget_pictures(tx: Transaction, feedback_id: str) -> bool:
    """Delete those of a case; whether there were any."""
    return bool(
        await tx.fetch("DELETE FROM pictures WHERE feedback_id = $1 RETURNING 1", feedback_id)
    )
