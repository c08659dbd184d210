"""Which case a follower in WeChat and we speak about, and which messages belong to which.

The row of a chat settles which of two messages at once opens a case: the other finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.intake.domain.chat import AFTER_AN_ANSWER, WITHIN, Speaking
from services.intake.store.tables import KEEP_CHATS, KEEP_MESSAGES
from shared.messaging.transaction import Transaction

# A message that is known opens nothing. What another process claims in this very moment is waited
# for, and then looked at as it left it.
_CLAIM = """
INSERT INTO chats AS c (account, openid, feedback_id, heard_at, answered)
SELECT a.account, a.openid, a.feedback_id, $5::timestamptz, false
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
  AS a(account, openid, message, feedback_id)
WHERE NOT EXISTS (
    SELECT 1 FROM submissions s WHERE s.channel = 'wechat' AND s.account = a.account
      AND s.source_message_id = a.message)
  AND NOT EXISTS (
    SELECT 1 FROM chat_messages m WHERE m.account = a.account AND m.message = a.message)
ORDER BY a.account, a.openid
ON CONFLICT (account, openid) DO UPDATE
  SET feedback_id = EXCLUDED.feedback_id, heard_at = EXCLUDED.heard_at, answered = false,
    taken_back = NULL
"""
_BEGINS: Mapping[Speaking, tuple[str, tuple[timedelta, ...]]] = {
    Speaking.ON: ("WHERE c.heard_at <= $6::timestamptz", (WITHIN,)),
    Speaking.REMARK: (
        "WHERE c.heard_at <= CASE WHEN c.answered THEN $7::timestamptz ELSE $6::timestamptz END",
        (WITHIN, AFTER_AN_ANSWER),
    ),
    Speaking.ANEW: ("", ()),
}
"""When a message begins something new though there is a chat; how long ago its last word was."""
# An answer that comes in between takes no words from what they spoke of just now, but a remark.
# What they began since is found by the order of its id: no index is kept of whose a comment is.
_SPOKEN_OF = """
SELECT a.account, a.message, coalesce(m.feedback_id, own.feedback_id, c.feedback_id)
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
  AS a(account, openid, message, remark)
LEFT JOIN chat_messages m ON m.account = a.account AND m.message = a.message
LEFT JOIN chats c ON c.account = a.account AND c.openid = a.openid
LEFT JOIN LATERAL (
    SELECT lately.feedback_id FROM (
        SELECT o.feedback_id, o.at FROM chat_messages o
        WHERE o.account = a.account AND o.openid = a.openid AND o.at > $5::timestamptz
        UNION ALL
        SELECT s.feedback_id, s.received_at FROM submissions s
        WHERE s.feedback_id >= $6 AND s.wechat_account = a.account AND s.wechat_openid = a.openid
          AND s.received_at > $5::timestamptz
    ) AS lately ORDER BY lately.at DESC LIMIT 1
) AS own ON c.answered AND NOT a.remark
WHERE m.feedback_id IS NOT NULL OR c.feedback_id IS NOT NULL
"""
_LATELY = timedelta(days=3)
"""Ids are made by another clock than moments are; comments of some days are few."""
_ADD = """
INSERT INTO chat_messages (account, message, openid, feedback_id, words_id, at)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz)
"""
_HEAR = """
INSERT INTO chats AS c (account, openid, feedback_id, heard_at, answered)
VALUES ($1, $2, $3, $4::timestamptz, false)
ON CONFLICT (account, openid) DO UPDATE
  SET feedback_id = EXCLUDED.feedback_id, heard_at = EXCLUDED.heard_at, answered = false,
    taken_back = NULL
"""
# What was said since counts more than an answer that is heard of late.
_ANSWER = """
INSERT INTO chats AS c (account, openid, feedback_id, heard_at, answered)
SELECT wechat_account, wechat_openid, $1, $3::timestamptz, true FROM submissions
WHERE feedback_id = $2 AND wechat_account IS NOT NULL AND wechat_openid IS NOT NULL
ON CONFLICT (account, openid) DO UPDATE
  SET feedback_id = EXCLUDED.feedback_id, heard_at = EXCLUDED.heard_at, answered = true,
    taken_back = NULL
  WHERE c.heard_at <= EXCLUDED.heard_at
"""
_LAST = """
SELECT m.message, m.feedback_id, m.words_id, m.moved_by, w.text FROM chat_messages m
JOIN words w ON w.words_id = m.words_id
JOIN chats c ON c.account = m.account AND c.openid = m.openid
WHERE m.account = $1 AND m.openid = $2 AND m.at > $3::timestamptz
  AND (c.feedback_id = m.feedback_id OR m.moved_by = $4)
ORDER BY m.moved_by IS NOT DISTINCT FROM $4 DESC, m.at DESC, m.words_id DESC LIMIT 1
"""


_OF_A_REMARK = """
SELECT feedback_id FROM chats WHERE account = $1 AND openid = $2
  AND heard_at > CASE WHEN answered THEN $4::timestamptz ELSE $3::timestamptz END
"""
# A wish moves the chat to no other case, and makes words of ours none of theirs.
_SPEAK_OF = """
UPDATE chats SET heard_at = $3::timestamptz, taken_back = $4 WHERE account = $1 AND openid = $2
"""
_TAKEN_BACK = """
SELECT taken_back FROM chats
WHERE account = $1 AND openid = $2 AND taken_back IS NOT NULL AND heard_at > $3::timestamptz
FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a follower, before it is known what it is."""

    account: str
    openid: str
    message: str
    feedback_id: str
    """Of the comment that it becomes if it belongs to none."""
    speaking: Speaking


@dataclass(frozen=True, slots=True)
class Added:
    """The message that a follower added last, and `text`, its words."""

    message: str
    feedback_id: str
    words_id: str
    moved_by: str | None
    text: str


def _id_from(moment: datetime) -> str:
    """No id of a comment that was made at `moment` or later is smaller."""
    return str(UUID(int=int(moment.timestamp() * 1000) << 80))


async def claim(tx: Transaction, said: Sequence[Said]) -> set[str]:
    """Which of these, each of another follower, begin something new: ids of their comments."""
    claimed: set[str] = set()
    for speaking, (condition, ages) in _BEGINS.items():
        if these := [one for one in said if one.speaking is speaking]:
            found = await tx.fetch(
                f"{_CLAIM} {condition} RETURNING feedback_id",
                [one.account for one in these],
                [one.openid for one in these],
                [one.message for one in these],
                [one.feedback_id for one in these],
                tx.now,
                *(tx.now - age for age in ages),
            )
            claimed |= {feedback_id for (feedback_id,) in found}
    return claimed


async def spoken_of(tx: Transaction, said: Sequence[Said]) -> dict[tuple[str, str], str]:
    """(account, message) → the case that it belongs to."""
    found = await tx.fetch(
        _SPOKEN_OF,
        [one.account for one in said],
        [one.openid for one in said],
        [one.message for one in said],
        [one.speaking is Speaking.REMARK for one in said],
        tx.now - WITHIN,
        _id_from(tx.now - _LATELY),
    )
    return {(account, message): case for account, message, case in found}


async def of_a_remark(tx: Transaction, account: str, openid: str) -> str | None:
    """The case that a remark would be about now, if any."""
    ages = (tx.now - age for age in _BEGINS[Speaking.REMARK][1])
    found = await tx.fetch(_OF_A_REMARK, account, openid, *ages)
    return str(found[0][0]) if found else None


async def is_open(tx: Transaction, account: str, openid: str, speaking: Speaking) -> bool:
    """Whether such words would go on about a case."""
    if speaking is Speaking.REMARK:
        return await of_a_remark(tx, account, openid) is not None
    found = await tx.fetch(
        "SELECT 1 FROM chats WHERE account = $1 AND openid = $2 AND heard_at > $3::timestamptz",
        account,
        openid,
        tx.now - WITHIN,
    )
    return bool(found)


async def of_a_wish(tx: Transaction, account: str, openid: str, message: str) -> str | None:
    """The case that a wish alone is about: that spoken of last, however long ago."""
    said = Said(account, openid, message, "", Speaking.ON)
    return (await spoken_of(tx, [said])).get((account, message))


async def speak_of(
    tx: Transaction, account: str, openid: str, *, taken_back: str | None = None
) -> None:
    """They asked for something just now; `taken_back`: they are asked whether to take this back."""
    await tx.fetch(_SPEAK_OF, account, openid, tx.now, taken_back)


async def to_take_back(tx: Transaction, account: str, openid: str) -> str | None:
    """The case that a yes takes back: they asked for it by their last word, a moment ago."""
    found = await tx.fetch(_TAKEN_BACK, account, openid, tx.now - WITHIN)
    return str(found[0][0]) if found else None


async def was_received(tx: Transaction, account: str, message: str) -> bool:
    """Whether this very message is a comment, or stands in a case already."""
    found = await tx.fetch(
        "SELECT 1 FROM submissions WHERE channel = 'wechat' AND account = $1 "
        "AND source_message_id = $2",
        account,
        message,
    )
    return bool(found) or await was_added(tx, account, message)


async def was_added(tx: Transaction, account: str, message: str) -> bool:
    """Whether this very message stands in a case already."""
    return bool(
        await tx.fetch(
            "SELECT 1 FROM chat_messages WHERE account = $1 AND message = $2", account, message
        )
    )


async def add(
    tx: Transaction, account: str, openid: str, message: str, feedback_id: str, words_id: str
) -> None:
    """It stands in this case now; the case is locked."""
    await tx.fetch(_ADD, account, message, openid, feedback_id, words_id, tx.now)
    await tx.fetch(_HEAR, account, openid, feedback_id, tx.now)


async def answered(tx: Transaction, feedback_id: str, parent: str | None, at: datetime) -> None:
    """Words of ours reached them there; a part has its parent's chat."""
    await tx.fetch(_ANSWER, feedback_id, parent or feedback_id, at)


async def wrote_since(tx: Transaction, feedback_id: str, parent: str | None, at: datetime) -> bool:
    """Whether the reporter has written in their chat since."""
    return bool(
        await tx.fetch(
            "SELECT 1 FROM submissions s JOIN chats c "
            "ON c.account = s.wechat_account AND c.openid = s.wechat_openid "
            "WHERE s.feedback_id = $1 AND NOT c.answered AND c.heard_at > $2::timestamptz",
            parent or feedback_id,
            at,
        )
    )


async def last_added(tx: Transaction, account: str, openid: str, message: str) -> Added | None:
    """What they added last, if it is what they spoke of last; or what `message` moved before."""
    found = await tx.fetch(_LAST, account, openid, tx.now - KEEP_MESSAGES, message)
    return Added(*found[0]) if found else None


async def move(tx: Transaction, account: str, added: Added, message: str) -> bool:
    """It becomes a comment of its own because of `message`; False where it is one already."""
    return bool(
        await tx.fetch(
            "UPDATE chat_messages SET moved_by = $3 "
            "WHERE account = $1 AND message = $2 AND moved_by IS NULL RETURNING 1",
            account,
            added.message,
            message,
        )
    )


async def end(tx: Transaction, account: str, openid: str) -> None:
    """What they write next begins something new."""
    await tx.fetch("DELETE FROM chats WHERE account = $1 AND openid = $2", account, openid)


async def forget(tx: Transaction, feedback_ids: list[str]) -> None:
    """Of these cases no chat is known any more."""
    for table in ("chats", "chat_messages"):
        await tx.fetch(f"DELETE FROM {table} WHERE feedback_id = ANY($1::text[])", feedback_ids)


async def forget_chats(tx: Transaction) -> None:
    """Delete those that nothing can be added to any more."""
    for table, moment, kept in (
        ("chats", "heard_at", KEEP_CHATS),
        ("chat_messages", "at", KEEP_MESSAGES),
    ):
        await tx.connection.exec_driver_sql(
            f"DELETE FROM {table} WHERE {moment} <= $1", (tx.now - kept,)
        )
