"""Taking comments in: a batch in a handful of statements, every race left to a unique index."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from services.intake.domain.submission import Submission, private_details, received_fact
from services.intake.store.tables import KEEP_KEYS, SubmissionRow
from shared.contracts.intake import Contact, FeedbackReceived, PrivateDetails
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Channel
from shared.messaging.transaction import Transaction
from shared.observability.metrics import RECEIVED


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key and what came with it."""

    scope: str
    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce and what came with it."""

    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing at the door: a comment, or (without one) a push that only counts its nonce."""

    submission: Submission | None
    key: Key | None = None
    nonce: Nonce | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told. `repeated`: this very message was here before."""

    feedback_id: str
    tracking_code: str
    received_at: datetime
    repeated: bool = False


_Told = tuple[FeedbackReceived, PrivateDetails]


class ReplayedNonce(Exception):
    """A nonce that was used for another body."""


COLUMNS = tuple(c.name for c in SubmissionRow.__table__.columns if c.name != "erased_at")
_TYPES = {
    "received_at": "timestamptz",
    "occurred_at": "timestamptz",
    "anonymous": "boolean",
    "confidential": "boolean",
}
CONTACT = frozenset(Contact.model_fields)
_INSERT = (
    f"INSERT INTO submissions ({', '.join(COLUMNS)}) SELECT * FROM unnest("
    + ", ".join(f"${n}::{_TYPES.get(c, 'text')}[]" for n, c in enumerate(COLUMNS, 1))
    + ") ON CONFLICT (channel, account, source_message_id) WHERE source_message_id IS NOT NULL "
    "DO NOTHING RETURNING feedback_id"
)
_BY_SOURCE = """
SELECT s.channel, s.account, s.source_message_id, s.feedback_id, s.tracking_code, s.received_at
FROM submissions s JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(channel, account, source)
  ON s.channel = w.channel AND s.account = w.account AND s.source_message_id = w.source
"""
CLAIM = """
INSERT INTO answers AS a (scope, key, body_hash, feedback_id, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT (scope, key) DO UPDATE
  SET body_hash = EXCLUDED.body_hash, feedback_id = EXCLUDED.feedback_id, at = EXCLUDED.at
  WHERE a.at <= $6::timestamptz
RETURNING scope, key
"""
_FIRST_ANSWERS = """
SELECT a.scope, a.key, a.body_hash, s.feedback_id, s.tracking_code, s.received_at
FROM answers a JOIN unnest($1::text[], $2::text[]) AS w(scope, key)
  ON a.scope = w.scope AND a.key = w.key
JOIN submissions s ON s.feedback_id = a.feedback_id
"""
_NONCES = """
INSERT INTO nonces (key, body_hash, seen_at)
SELECT k, h, $3::timestamptz FROM unnest($1::text[], $2::text[]) AS w(k, h)
ON CONFLICT DO NOTHING RETURNING key
"""


async def accept(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Receipt | Exception | None]:
    """Take a batch in: per arrival its receipt, None for a push without words, or a refusal.

    Comments go in first, since the index on the source says which are new; then keys are
    claimed, and what a key knows already is taken out again before anybody has seen it.
    """
    answers: list[Receipt | Exception | None] = [None] * len(arrivals)
    refused = await _replayed(tx, arrivals)
    waiting: dict[int, Submission] = {}
    for place, arrival in enumerate(arrivals):
        if place in refused:
            answers[place] = ReplayedNonce()
        elif arrival.submission is not None:
            waiting[place] = arrival.submission
    if not waiting:
        return answers
    new, told = await _insert_and_tell_of(tx, list(waiting.values()))
    for place, receipt in (await _known_sources(tx, waiting, new)).items():
        answers[place] = receipt
        del waiting[place]
    for place, answer in (await _known_keys(tx, arrivals, waiting)).items():
        answers[place] = answer
        del waiting[place]
    for place, submission in waiting.items():
        answers[place] = Receipt(
            submission.feedback_id, submission.tracking_code, submission.received_at
        )
    _emit(tx, [told[submission.feedback_id] for submission in waiting.values()])
    return answers


async def _insert_and_tell_of(
    tx: Transaction, submissions: list[Submission]
) -> tuple[set[str], dict[str, _Told]]:
    """The ids that are new, and the facts of all by id: made while the database is at work.

    Nearly every comment is new, and a transaction that waits for us keeps everybody waiting.
    """
    inserting = asyncio.create_task(_insert(tx, submissions))
    try:
        await asyncio.sleep(0)  # The statement goes out.
        told = {
            s.feedback_id: (received_fact(s), private_details(s, s.received_at))
            for s in submissions
        }
    finally:
        # Whatever happened, nobody else may use the connection before.
        new = await inserting
    return new, told


def _emit(tx: Transaction, told: Iterable[_Told]) -> None:
    received: Counter[Channel] = Counter()
    for fact, details in told:
        tx.begin_case(fact.feedback_id)
        tx.emit(fact)
        tx.emit(details)
        received[fact.channel] += 1
    for channel, count in received.items():
        tx.after_commit(partial(RECEIVED.labels(channel.value).inc, count))


async def rows(tx: Transaction, statement: str, *arrays: Any) -> list[Any]:
    return await tx.fetch(statement, *arrays)


async def _insert(tx: Transaction, submissions: list[Submission]) -> set[str]:
    """Write the comments; the answer is the ids of those whose source was not known."""
    # In the order of the index, so that two processes wait for each other instead of deadlocking.
    submissions = sorted(
        submissions, key=lambda s: (s.channel, s.account or "", s.source_message_id or "")
    )
    arrays = [
        [getattr(s.contact if column in CONTACT else s, column) for s in submissions]
        for column in COLUMNS
    ]
    return {feedback_id for (feedback_id,) in await rows(tx, _INSERT, *arrays)}


async def _known_sources(
    tx: Transaction, waiting: dict[int, Submission], new: set[str]
) -> dict[int, Receipt]:
    """The first answers for messages that were here before."""
    if len(new) == len(waiting):
        return {}
    places = {p: s for p, s in waiting.items() if s.feedback_id not in new}
    sources = [(s.channel, s.account, s.source_message_id) for s in places.values()]
    found = {
        (channel, account, source): Receipt(feedback_id, code, received_at, repeated=True)
        for channel, account, source, feedback_id, code, received_at in await rows(
            tx, _BY_SOURCE, *(list(c) for c in zip(*set(sources), strict=True))
        )
    }
    return {p: found[s.channel, s.account, s.source_message_id] for p, s in places.items()}


async def _known_keys(
    tx: Transaction, arrivals: Sequence[Arrival], waiting: dict[int, Submission]
) -> dict[int, Receipt | Exception]:
    """The first answers for keys that were used before; a conflict for another body."""
    first: dict[tuple[str, str], int] = {}
    for place in waiting:
        if (key := arrivals[place].key) is not None:
            first.setdefault((key.scope, key.key), place)
    if not first:
        return {}
    claims = [
        (scope, key, _key_of(arrivals, place).body_hash, waiting[place].feedback_id, tx.now)
        for (scope, key), place in sorted(first.items())
    ]
    columns = [list(c) for c in zip(*claims, strict=True)]
    ours = {tuple(row) for row in await rows(tx, CLAIM, *columns, tx.now - KEEP_KEYS)}
    answered: dict[tuple[str, str], tuple[str, Receipt]] = {}
    if lost := sorted(set(first) - ours):
        for scope, key, body_hash, *rest in await rows(
            tx, _FIRST_ANSWERS, *(list(c) for c in zip(*lost, strict=True))
        ):
            answered[scope, key] = (body_hash, Receipt(*rest))
    for name in ours:
        winner = waiting[first[name]]
        answered[name] = (
            _key_of(arrivals, first[name]).body_hash,
            Receipt(winner.feedback_id, winner.tracking_code, winner.received_at),
        )
    known: dict[int, Receipt | Exception] = {}
    for place in waiting:
        key = arrivals[place].key
        if key is None or ((key.scope, key.key) in ours and first[key.scope, key.key] == place):
            continue
        body_hash, receipt = answered[key.scope, key.key]
        known[place] = receipt if body_hash == key.body_hash else other_body()
    if known:
        await tx.fetch(
            "DELETE FROM submissions WHERE feedback_id = ANY($1::text[])",
            [waiting[place].feedback_id for place in known],
        )
    return known


def _key_of(arrivals: Sequence[Arrival], place: int) -> Key:
    key = arrivals[place].key
    assert key is not None
    return key


def other_body() -> Conflict:
    """A key that was used for something else."""
    return Conflict(
        "这个 Idempotency-Key 已经用在别的内容上了。",
        "This Idempotency-Key was used with another body.",
    )


async def _replayed(tx: Transaction, arrivals: Sequence[Arrival]) -> set[int]:
    """Those whose nonce was used for another body; the rest is remembered."""
    nonces = {place: a.nonce for place, a in enumerate(arrivals) if a.nonce is not None}
    if not nonces:
        return set()
    first = {n.key: n.body_hash for n in reversed(nonces.values())}
    keys = sorted(first)
    fresh = {k for (k,) in await rows(tx, _NONCES, keys, [first[k] for k in keys], tx.now)}
    if seen := [k for k in keys if k not in fresh]:
        first.update(
            await rows(tx, "SELECT key, body_hash FROM nonces WHERE key = ANY($1::text[])", seen)
        )
    return {place for place, n in nonces.items() if first[n.key] != n.body_hash}
