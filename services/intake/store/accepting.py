"""Accepting comments: a batch in a handful of statements, every race left to a unique index.

A source or an idempotency key is settled before a comment is inserted, so nothing that was
answered is ever deleted again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.intake.domain.chat import Speaking
from services.intake.domain.submission import Submission, private_details, received_event
from services.intake.store import chats
from services.intake.store.chats import Said
from services.intake.store.pictures import WithPictures, keep_pictures
from services.intake.store.tables import KEEP_KEYS, SubmissionRow
from shared.contracts.intake import Contact
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Channel
from shared.db import table_of
from shared.messaging.transaction import Transaction
from shared.observability.metrics import RECEIVED


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key and what came with it."""

    scope: str
    key: str
    body_hash: str
    of_a_form: bool = False
    """It is the hidden one of a page, of which a person knows nothing."""


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce and what came with it."""

    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that came in: a comment, or (without one) a push that only counts its nonce."""

    submission: Submission | None
    key: Key | None = None
    nonce: Nonce | None = None
    speaking: Speaking | None = None
    """In a chat: how it stands to what was said there before. None: it is a comment."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender gets. `repeated`: this very message was here before."""

    feedback_id: str
    tracking_code: str
    received_at: datetime
    repeated: bool = False


class ReplayedNonce(Exception):
    """A nonce that was used for another body."""


class Belongs(Exception):
    """A message in a chat that is the next word about a case, and no comment."""

    def __init__(self, feedback_id: str) -> None:
        super().__init__(feedback_id)
        self.feedback_id = feedback_id


class Unsettled(RuntimeError):
    """A comment could neither be inserted nor found: the tables contradict each other."""


Answer = Receipt | Exception | None

COLUMNS = tuple(c.name for c in table_of(SubmissionRow).columns if c.name != "erased_at")
CONTACT = frozenset(Contact.model_fields)
_TYPES = {
    "received_at": "timestamptz",
    "occurred_at": "timestamptz",
    "anonymous": "boolean",
    "confidential": "boolean",
}
_NAMES = ", ".join(COLUMNS)
_ARRAYS = ", ".join(f"${n}::{_TYPES.get(c, 'text')}[]" for n, c in enumerate(COLUMNS, 1))
_ON_SOURCE = """
ON CONFLICT (channel, account, source_message_id) WHERE source_message_id IS NOT NULL
DO NOTHING RETURNING feedback_id
"""
_CLAIMED = """
ON CONFLICT (scope, key) DO UPDATE
  SET body_hash = EXCLUDED.body_hash, feedback_id = EXCLUDED.feedback_id, at = EXCLUDED.at
"""
CLAIM = f"""
INSERT INTO answers AS a (scope, key, body_hash, feedback_id, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
{_CLAIMED} WHERE a.at <= $6::timestamptz
RETURNING scope, key
"""
_INSERT = f"INSERT INTO submissions ({_NAMES}) SELECT * FROM unnest({_ARRAYS}) {_ON_SOURCE}"
# A known source claims no key, and a comment whose key is spent is not inserted. Both inserts go
# in the order of their index, so that two processes wait for each other instead of deadlocking.
_K = len(COLUMNS)
_SETTLE = f"""
WITH arriving AS (
  SELECT * FROM unnest({_ARRAYS}, ${_K + 1}::text[], ${_K + 2}::text[], ${_K + 3}::text[])
    AS a({_NAMES}, scope, key, body_hash)
), fresh AS (
  SELECT * FROM arriving a WHERE NOT EXISTS (
    SELECT 1 FROM submissions s WHERE s.channel = a.channel AND s.account = a.account
      AND s.source_message_id = a.source_message_id)
), claimed AS (
  INSERT INTO answers AS k (scope, key, body_hash, feedback_id, at)
  SELECT scope, key, body_hash, feedback_id, ${_K + 4}::timestamptz FROM fresh
  WHERE key IS NOT NULL ORDER BY scope, key
  {_CLAIMED} WHERE k.at <= ${_K + 5}::timestamptz
  RETURNING k.feedback_id
)
INSERT INTO submissions ({_NAMES}) SELECT {_NAMES} FROM fresh
WHERE key IS NULL OR feedback_id IN (SELECT feedback_id FROM claimed)
ORDER BY channel, account, source_message_id {_ON_SOURCE}
"""
_BY_SOURCE = """
SELECT s.channel, s.account, s.source_message_id, s.feedback_id, s.tracking_code, s.received_at
FROM submissions s JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(channel, account, source)
  ON s.channel = w.channel AND s.account = w.account AND s.source_message_id = w.source
"""
_BY_KEY = """
SELECT a.scope, a.key, a.body_hash, s.feedback_id, s.tracking_code, s.received_at
FROM answers a JOIN unnest($1::text[], $2::text[]) AS w(scope, key)
  ON a.scope = w.scope AND a.key = w.key
JOIN submissions s ON s.feedback_id = a.feedback_id
WHERE a.at > $3::timestamptz
"""
_UNCLAIM = """
DELETE FROM answers a USING unnest($1::text[], $2::text[], $3::text[]) AS w(scope, key, id)
WHERE a.scope = w.scope AND a.key = w.key AND a.feedback_id = w.id
"""
_NONCES = """
INSERT INTO nonces (key, body_hash, seen_at)
SELECT k, h, $3::timestamptz FROM unnest($1::text[], $2::text[]) AS w(k, h)
ON CONFLICT DO NOTHING RETURNING key
"""
_SPARE_ROUNDS = 3
"""A key may expire, or another process give way, between two statements."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An arrival with words that has no answer yet."""

    submission: Submission
    key: Key | None
    speaking: Speaking | None = None

    @property
    def source(self) -> tuple[str, str | None, str | None] | None:
        """What identifies this message; None where the sender numbers nothing."""
        s = self.submission
        numbered = s.source_message_id is not None
        return (s.channel, s.account, s.source_message_id) if numbered else None

    @property
    def said(self) -> Said | None:
        """It as a message in a chat; None for what is said nowhere else than in itself."""
        contact, message = self.submission.contact, self.submission.source_message_id
        if self.speaking is None or message is None:
            return None
        account, openid = contact.wechat_account or "", contact.wechat_openid or ""
        return Said(account, openid, message, self.submission.feedback_id, self.speaking)


async def accept(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Answer]:
    """Accept a batch: per arrival its receipt, None for a push without words, or a refusal.

    The answers are those of taking the arrivals one after another: a known source gets the first
    answer, else a known key the first answer or `Conflict`, else the comment is new. In rounds:
    those that share neither source nor key with an earlier one are inserted together; the rest
    then finds them in the tables, as it finds what other processes inserted. Of a chat the first
    message is a comment; the next one `Belongs` to it, if it is said soon.
    """
    answers: list[Answer] = [None] * len(arrivals)
    replayed = await _replayed(tx, arrivals)
    waiting: dict[int, _Waiting] = {}
    for index, arrival in enumerate(arrivals):
        if index in replayed:
            answers[index] = ReplayedNonce()
        elif arrival.submission is not None:
            waiting[index] = _Waiting(arrival.submission, arrival.key, arrival.speaking)
    rounds = len(arrivals) + _SPARE_ROUNDS
    while waiting:
        if (rounds := rounds - 1) < 0:
            raise Unsettled
        leading = leaders(waiting)
        speaking = await _in_chats(tx, {index: waiting[index] for index in leading})
        fresh = {index: waiting[index] for index in leading if index not in speaking}
        for index in await _insert(tx, fresh) if fresh else ():
            s = waiting.pop(index).submission
            answers[index] = Receipt(s.feedback_id, s.tracking_code, s.received_at)
        for index, answer in (await _known(tx, waiting)).items():
            del waiting[index]
            answers[index] = answer
        spoken = {index: said for index, said in speaking.items() if index in waiting}
        for index, case in (await _spoken_of(tx, spoken)).items():
            del waiting[index]
            answers[index] = Belongs(case)
    return answers


async def _in_chats(tx: Transaction, leading: Mapping[int, _Waiting]) -> dict[int, Said]:
    """Those that were said in a chat and begin nothing new there."""
    said = {index: one for index, w in leading.items() if (one := w.said) is not None}
    if not said:
        return {}
    claimed = await chats.claim(tx, list(said.values()))
    return {index: one for index, one in said.items() if one.feedback_id not in claimed}


async def _spoken_of(tx: Transaction, said: Mapping[int, Said]) -> dict[int, str]:
    """The cases that these belong to."""
    if not said:
        return {}
    found = await chats.spoken_of(tx, list(said.values()))
    names = {index: (one.account, one.message) for index, one in said.items()}
    return {index: found[name] for index, name in names.items() if name in found}


def leaders(waiting: Mapping[int, _Waiting]) -> list[int]:
    """Those that share neither source, key nor chat with anybody before them, in order."""
    seen: set[object] = set()
    found = []
    for index, one in waiting.items():
        chat = (one.said.account, one.said.openid, "chat") if one.said else None
        names = {one.source, one.key and (one.key.scope, one.key.key), chat} - {None}
        if seen.isdisjoint(names):
            found.append(index)
        seen |= names
    return found


async def _insert(tx: Transaction, leading: Mapping[int, _Waiting]) -> list[int]:
    """Insert those whose source and key are free, and emit their events; says which were."""
    values = list(leading.values())
    arrays = [
        [
            getattr(w.submission.contact if column in CONTACT else w.submission, column)
            for w in values
        ]
        for column in COLUMNS
    ]
    named = any(w.key is not None or w.source is not None for w in values)
    if named:
        keys = [w.key for w in values]
        for part in ("scope", "key", "body_hash"):
            arrays.append([k and getattr(k, part) for k in keys])
        inserting = asyncio.create_task(tx.fetch(_SETTLE, *arrays, tx.now, tx.now - KEEP_KEYS))
    else:
        inserting = asyncio.create_task(tx.fetch(_INSERT, *arrays))
    try:
        # Nearly every comment is new: its events are made while the database is at work.
        await asyncio.sleep(0)
        events = {
            s.feedback_id: (received_event(s), private_details(s))
            for s in (w.submission for w in values)
        }
    finally:
        # Whatever happened, nobody else may use the connection before.
        new = {feedback_id for (feedback_id,) in await inserting}
    if named:
        await _unclaim(tx, [w for w in values if w.submission.feedback_id not in new])
    inserted = [index for index, w in leading.items() if w.submission.feedback_id in new]
    fresh = [leading[index].submission for index in inserted]
    await keep_pictures(
        tx, [WithPictures(s.feedback_id, None, s.pictures, s.received_at) for s in fresh]
    )
    received: Counter[Channel] = Counter()
    for index in inserted:
        event, details = events[leading[index].submission.feedback_id]
        tx.begin_case(event.feedback_id)
        tx.emit(event)
        tx.emit(details)
        received[event.channel] += 1
    for channel, count in received.items():
        tx.after_commit(partial(RECEIVED.labels(channel.value).inc, count))
    return inserted


async def _unclaim(tx: Transaction, refused: Sequence[_Waiting]) -> None:
    """Give back the keys of those whose source another process inserted in this very moment."""
    claims = [
        (w.key.scope, w.key.key, w.submission.feedback_id)
        for w in refused
        if w.key is not None and w.source is not None
    ]
    if claims:
        await tx.fetch(_UNCLAIM, *(list(c) for c in zip(*claims, strict=True)))


async def _known(tx: Transaction, waiting: Mapping[int, _Waiting]) -> dict[int, Answer]:
    """The first answers for sources and keys that are in the tables; a source counts first."""
    if not waiting:
        return {}
    by_source: dict[object, Receipt] = {}
    if sources := {w.source for w in waiting.values() if w.source is not None}:
        for channel, account, source, case, code, received_at in await tx.fetch(
            _BY_SOURCE, *(list(c) for c in zip(*sources, strict=True))
        ):
            by_source[channel, account, source] = Receipt(case, code, received_at, repeated=True)
    by_key: dict[object, tuple[str, Receipt]] = {}
    if keys := {(w.key.scope, w.key.key) for w in waiting.values() if w.key is not None}:
        for scope, key, body_hash, *receipt in await tx.fetch(
            _BY_KEY, *(list(c) for c in zip(*keys, strict=True)), tx.now - KEEP_KEYS
        ):
            by_key[scope, key] = (body_hash, Receipt(*receipt))
    found: dict[int, Answer] = {}
    open_sources: set[object] = set()
    for index, one in waiting.items():
        if one.source in by_source:
            found[index] = by_source[one.source]
        elif one.source in open_sources:
            continue  # an earlier copy may be new yet, and then counts before the key
        elif one.key is not None and (one.key.scope, one.key.key) in by_key:
            body_hash, receipt = by_key[one.key.scope, one.key.key]
            found[index] = receipt if body_hash == one.key.body_hash else other_body(one.key)
        elif one.source is not None:
            open_sources.add(one.source)
    return found


def other_body(key: Key) -> Conflict:
    """A key that was used for something else."""
    if key.of_a_form:
        return Conflict(
            "刚才那一份已经收到了。改过的要另外再发一份，请再按一次。",
            "What you sent a moment ago has arrived. To send your changes as well, press again.",
        )
    return Conflict(
        "这个 Idempotency-Key 已经用在别的内容上了。",
        "This Idempotency-Key was used with another body.",
    )


async def _replayed(tx: Transaction, arrivals: Sequence[Arrival]) -> set[int]:
    """Those whose nonce was used for another body; the rest is remembered."""
    nonces = {index: a.nonce for index, a in enumerate(arrivals) if a.nonce is not None}
    if not nonces:
        return set()
    first = {n.key: n.body_hash for n in reversed(nonces.values())}
    keys = sorted(first)
    fresh = {k for (k,) in await tx.fetch(_NONCES, keys, [first[k] for k in keys], tx.now)}
    if seen := [k for k in keys if k not in fresh]:
        first.update(
            await tx.fetch("SELECT key, body_hash FROM nonces WHERE key = ANY($1::text[])", seen)
        )
    return {index for index, n in nonces.items() if first[n.key] != n.body_hash}
