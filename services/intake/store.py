"""What intake remembers: comments whole, first answers, what was said later, used nonces.

The hot path writes a batch in a handful of statements, and leaves every race to a unique index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from services.intake.domain.later import Phase, Standing
from services.intake.domain.submission import Submission, private_details, received_fact
from shared.contracts.intake import Contact
from shared.contracts.refusal import Conflict
from shared.contracts.vocabulary import Channel
from shared.db.tables import moment, registry_for
from shared.messaging.tables import messaging_tables
from shared.messaging.transaction import Transaction
from shared.observability.metrics import RECEIVED

IntakeTable = registry_for("intake")
messaging_tables(IntakeTable.metadata)

KEEP_KEYS = timedelta(hours=24)
KEEP_NONCES = timedelta(minutes=15)


class SubmissionRow(IntakeTable, table=True):
    """A comment as it came in, unmasked. Personal data: erased here on request."""

    __tablename__ = "submissions"
    __table_args__ = (
        # Settles who was first when the same message arrives twice, on any door.
        Index(
            "submissions_source",
            "channel",
            "account",
            "source_message_id",
            unique=True,
            postgresql_where=text("source_message_id IS NOT NULL"),
        ),
        Index("submissions_code", "code_hash", unique=True),
        Index("submissions_desk", "feedback_id", postgresql_where=text("desk IS NOT NULL")),
    )

    feedback_id: str = Field(primary_key=True)
    tracking_code: str
    code_hash: str
    received_at: datetime = moment()
    channel: str
    account: str | None = None
    source_message_id: str | None = None
    title: str = ""
    text: str
    category: str | None = None
    place: str | None = None
    locale: str
    anonymous: bool = False
    confidential: bool = False
    occurred_at: datetime | None = moment(nullable=True)
    desk: str | None = None
    on_behalf_of: str | None = None
    entered_by: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    wechat_account: str | None = None
    wechat_openid: str | None = None
    erased_at: datetime | None = moment(nullable=True)


class AnswerRow(IntakeTable, table=True):
    """The first answer to an idempotency key, for a day."""

    __tablename__ = "answers"

    scope: str = Field(primary_key=True)
    """Whose keys these are: a token's, the public's, a case's."""
    key: str = Field(primary_key=True)
    body_hash: str
    feedback_id: str
    at: datetime = moment(index=True)


class NonceRow(IntakeTable, table=True):
    """A nonce of a callback, so that nobody sends other words under its signature."""

    __tablename__ = "nonces"

    key: str = Field(primary_key=True)
    body_hash: str
    seen_at: datetime = moment(index=True)


class WordsRow(IntakeTable, table=True):
    """What a reporter said later, unmasked."""

    __tablename__ = "words"

    words_id: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    action: str
    text: str
    at: datetime = moment()


class CaseRow(IntakeTable, table=True):
    """What desk told of a case, as far as it decides what its reporter may do."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    phase: str = Phase.OPEN.value
    replies: int = 0
    rated: int = 0
    replied_at: datetime | None = moment(nullable=True)
    reopened: int = 0
    asked: str | None = None
    urged_at: datetime | None = moment(nullable=True)

    @property
    def standing(self) -> Standing:
        """The row as the domain takes it."""
        return Standing(
            phase=Phase(self.phase),
            replies=self.replies,
            rated=self.rated,
            replied_at=self.replied_at,
            reopened=self.reopened,
            asked=self.asked,
            urged_at=self.urged_at,
        )


class TokenRow(IntakeTable, table=True):
    """An adapter's token; the secret itself is nowhere."""

    __tablename__ = "tokens"

    token_id: str = Field(primary_key=True)
    name: str = Field(index=True)
    fingerprint: str
    issued_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


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


class ReplayedNonce(Exception):
    """A nonce that was used for another body."""


_COLUMNS = tuple(
    c.name
    for c in SubmissionRow.__table__.columns  # type: ignore[attr-defined]
    if c.name != "erased_at"
)
_TYPES = {
    "received_at": "timestamptz",
    "occurred_at": "timestamptz",
    "anonymous": "boolean",
    "confidential": "boolean",
}
_CONTACT = frozenset(Contact.model_fields)
_INSERT = (
    f"INSERT INTO submissions ({', '.join(_COLUMNS)}) SELECT * FROM unnest("
    + ", ".join(f"${n}::{_TYPES.get(c, 'text')}[]" for n, c in enumerate(_COLUMNS, 1))
    + ") ON CONFLICT (channel, account, source_message_id) WHERE source_message_id IS NOT NULL "
    "DO NOTHING RETURNING feedback_id"
)
_BY_SOURCE = """
SELECT s.channel, s.account, s.source_message_id, s.feedback_id, s.tracking_code, s.received_at
FROM submissions s JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(channel, account, source)
  ON s.channel = w.channel AND s.account = w.account AND s.source_message_id = w.source
"""
_CLAIM = """
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
    new = await _insert(tx, list(waiting.values()))
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
        _tell(tx, submission)
    return answers


def _tell(tx: Transaction, submission: Submission) -> None:
    tx.begin_case(submission.feedback_id)
    fact = received_fact(submission)
    tx.emit(fact)
    tx.emit(private_details(submission, submission.received_at))
    tx.after_commit(RECEIVED.labels(Channel(fact.channel).value).inc)


async def _rows(tx: Transaction, statement: str, *arrays: Any) -> list[Any]:
    return list(await tx.connection.exec_driver_sql(statement, arrays))


async def _insert(tx: Transaction, submissions: list[Submission]) -> set[str]:
    """Write the comments; the answer is the ids of those whose source was not known."""
    # In the order of the index, so that two processes wait for each other instead of deadlocking.
    submissions.sort(key=lambda s: (s.channel, s.account or "", s.source_message_id or ""))
    arrays = [
        [getattr(s.contact if column in _CONTACT else s, column) for s in submissions]
        for column in _COLUMNS
    ]
    return {feedback_id for (feedback_id,) in await _rows(tx, _INSERT, *arrays)}


async def _known_sources(
    tx: Transaction, waiting: dict[int, Submission], new: set[str]
) -> dict[int, Receipt]:
    """The first answers for messages that were here before."""
    places = {p: s for p, s in waiting.items() if s.feedback_id not in new}
    if not places:
        return {}
    sources = [(s.channel, s.account, s.source_message_id) for s in places.values()]
    found = {
        (channel, account, source): Receipt(feedback_id, code, received_at, repeated=True)
        for channel, account, source, feedback_id, code, received_at in await _rows(
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
    ours = {tuple(row) for row in await _rows(tx, _CLAIM, *columns, tx.now - KEEP_KEYS)}
    answered: dict[tuple[str, str], tuple[str, Receipt]] = {}
    if lost := sorted(set(first) - ours):
        for scope, key, body_hash, *rest in await _rows(
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
        await tx.connection.exec_driver_sql(
            "DELETE FROM submissions WHERE feedback_id = ANY($1::text[])",
            ([waiting[place].feedback_id for place in known],),
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
    fresh = {k for (k,) in await _rows(tx, _NONCES, keys, [first[k] for k in keys], tx.now)}
    if seen := [k for k in keys if k not in fresh]:
        first.update(
            await _rows(tx, "SELECT key, body_hash FROM nonces WHERE key = ANY($1::text[])", seen)
        )
    return {place for place, n in nonces.items() if first[n.key] != n.body_hash}


# -- later ---------------------------------------------------------------------------------


async def load(tx: Transaction, feedback_ids: list[str]) -> None:
    """Load what is known of these cases."""
    await tx.shelf(CaseRow).load(feedback_ids)


def case_of(tx: Transaction, feedback_id: str) -> CaseRow:
    """The row of a case; a new one where desk has told nothing yet."""
    return tx.shelf(CaseRow).get(feedback_id) or CaseRow(feedback_id=feedback_id)


async def find(tx: Transaction, code_hash: str) -> Submission | None:
    """The comment under a tracking code."""
    rows = await _rows(
        tx, f"SELECT {', '.join(_COLUMNS)} FROM submissions WHERE code_hash = $1", code_hash
    )
    if not rows:
        return None
    values = dict(zip(_COLUMNS, rows[0], strict=True))
    contact = Contact(**{name: values.pop(name) for name in _CONTACT})
    return Submission(**values, contact=contact)


async def words_of(tx: Transaction, feedback_id: str) -> list[WordsRow]:
    """What was said later, oldest first."""
    shelf = tx.shelf(WordsRow)
    await shelf.load([feedback_id])
    return sorted(shelf.of(feedback_id), key=lambda row: row.words_id)


async def answered_before(tx: Transaction, key: Key, feedback_id: str) -> datetime | None:
    """When this key was answered first; claims it when it was not. `Conflict` for another body."""
    claimed = await _rows(
        tx,
        _CLAIM,
        [key.scope],
        [key.key],
        [key.body_hash],
        [feedback_id],
        [tx.now],
        tx.now - KEEP_KEYS,
    )
    if claimed:
        return None
    ((body_hash, at),) = await _rows(
        tx, "SELECT body_hash, at FROM answers WHERE scope = $1 AND key = $2", key.scope, key.key
    )
    if body_hash != key.body_hash:
        raise other_body()
    first: datetime = at
    return first


async def recent_desks(tx: Transaction) -> list[str]:
    """Names of desks where something was entered lately."""
    rows = await _rows(
        tx,
        "SELECT DISTINCT desk FROM (SELECT desk FROM submissions WHERE desk IS NOT NULL "
        "ORDER BY feedback_id DESC LIMIT 500) AS lately ORDER BY desk LIMIT 50",
    )
    return [desk for (desk,) in rows]


async def forget_old(tx: Transaction) -> None:
    """Delete keys and nonces that no longer count."""
    for statement, age in (
        ("DELETE FROM answers WHERE at <= $1", KEEP_KEYS),
        ("DELETE FROM nonces WHERE seen_at <= $1", KEEP_NONCES),
    ):
        await tx.connection.exec_driver_sql(statement, (tx.now - age,))
