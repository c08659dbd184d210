"""The tables of intake. What a reporter said stands here whole, and nowhere else but in private."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Index, String, Text, text
from sqlmodel import Field, SQLModel

from services.intake.domain.later import Standing
from shared.contracts.rights import Asked, Rights
from shared.contracts.vocabulary import State
from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables


class IntakeTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(IntakeTable.metadata)

KEEP_KEYS = timedelta(hours=24)
KEEP_QUESTIONS = timedelta(hours=24)
"""After the answer; the platform sends a message again within seconds."""
KEEP_OFFERS = timedelta(hours=2)
"""As long as a short word in a chat is still the answer to it."""
KEEP_UNREACHED = timedelta(days=30)
"""Whoever writes later than that has heard it another way, or asks anew."""
KEEP_CHATS = timedelta(days=30)
"""As long as a wish alone (催一催, 查进展) is still about the case that was spoken of last."""
KEEP_MESSAGES = timedelta(hours=24)
"""As long as a message that was added to a case can be made a comment of its own in the chat."""
KEEP_NONCES = timedelta(minutes=15)
KEEP_PROOFS = timedelta(days=1)
"""As long as they count towards the letters of a day."""


class SubmissionRow(IntakeTable, table=True):
    """A comment as it came in, unmasked. Personal data: erased here on request."""

    __tablename__ = "submissions"
    __table_args__ = (
        # Settles who was first when the same message arrives twice, anywhere.
        Index(
            "submissions_source",
            "channel",
            "account",
            "source_message_id",
            unique=True,
            postgresql_where=text("source_message_id IS NOT NULL"),
        ),
        Index("submissions_code", "code_hash", unique=True),
        Index(
            "submissions_email",
            text("lower(email)"),
            postgresql_where=text("email IS NOT NULL AND NOT anonymous"),
        ),
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


class PictureRow(IntakeTable, table=True):
    """A picture that came with a comment or with what was said later, made small.

    Personal data, as nobody knows what is to be seen in it: gone when its sender is erased.
    """

    __tablename__ = "pictures"
    __table_args__ = (Index("pictures_of_case", "feedback_id"),)

    picture_id: str = Field(primary_key=True)
    feedback_id: str
    words_id: str | None = None
    """Of what was said later; None: it came with the comment."""
    seq: int
    """Its place among those of the message, from 0."""
    content_type: str
    width: int
    height: int
    content: bytes
    received_at: datetime = moment()


class CaseRow(IntakeTable, table=True):
    """What desk decided about a case, and what its reporter asked for since."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    state: str = State.RECEIVED.value
    rights: dict[str, Any] = document(default_factory=dict)
    """`Rights` as desk sent them last; empty before its first event."""
    asked: dict[str, Any] = document(default_factory=dict)
    """`Asked`: what desk has not answered yet."""
    parent: str | None = Field(default=None, index=True)
    """The comment it is a part of; whoever has the code of that one speaks for it."""
    questioned_at: datetime | None = moment(nullable=True)
    """When the reporter was asked something last."""

    @property
    def standing(self) -> Standing:
        """The row as the domain takes it."""
        return Standing(
            state=State(self.state),
            rights=Rights.model_validate(self.rights),
            asked=Asked.model_validate(self.asked),
        )


class QuestionRow(IntakeTable, table=True):
    """A question to somebody in WeChat: what they send next is the answer to it.

    It is kept for a while after the answer, so that a copy of the answer is known.
    """

    __tablename__ = "questions"
    __table_args__ = (Index("questions_of_follower", "account", "openid"),)

    feedback_id: str = Field(primary_key=True)
    account: str
    openid: str
    asked_at: datetime = moment()
    question: str | None = Field(default=None, sa_type=Text)
    """Masked; None where it was asked before this was kept."""
    answered_by: str | None = None
    """What identifies the message that answered it."""
    closed_at: datetime | None = moment(nullable=True)


class OfferRow(IntakeTable, table=True):
    """What the last comment of somebody in WeChat may be one more case of.

    One for each follower. It is not recollected from the log: it lives for `KEEP_OFFERS` only, and
    without it a short word is a comment like any other.
    """

    __tablename__ = "offers"

    account: str = Field(primary_key=True)
    openid: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    incidents: list[str] = Field(sa_type=ARRAY(String), nullable=False)
    """In the order of the numbers that they are chosen by."""
    offered_at: datetime = moment(index=True)
    chosen: str | None = None
    """Which of them; empty where it was over by then."""
    answered_by: str | None = None
    """What identifies the message that chose."""


class UnreachedRow(IntakeTable, table=True):
    """A case of which words wait, as WeChat takes nothing before its follower writes again."""

    __tablename__ = "unreached"
    __table_args__ = (Index("unreached_of_follower", "account", "openid"),)

    feedback_id: str = Field(primary_key=True)
    account: str
    openid: str
    since: datetime = moment(index=True)


class ChatRow(IntakeTable, table=True):
    """What a follower in WeChat and we spoke about last. It is not recollected from the log."""

    __tablename__ = "chats"

    account: str = Field(primary_key=True)
    openid: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    heard_at: datetime = moment(index=True)
    """When the last word came, theirs or ours."""
    answered: bool
    """It was ours."""
    taken_back: str | None = None
    """The case that they asked to take back by their last word, and have not said yes to."""


class ChatMessageRow(IntakeTable, table=True):
    """A message in a chat that was added to a case: a copy of it is known by this."""

    __tablename__ = "chat_messages"
    __table_args__ = (Index("chat_messages_of_follower", "account", "openid", "at"),)

    account: str = Field(primary_key=True)
    message: str = Field(primary_key=True)
    openid: str
    feedback_id: str = Field(index=True)
    words_id: str
    at: datetime = moment(index=True)
    moved_by: str | None = None
    """The message by which it became a comment of its own."""


class ProofRow(IntakeTable, table=True):
    """Somebody with a code asked for all that was said from the mailbox of that comment.

    The letter goes to that mailbox; whoever opens it once, in time, is who they say.
    """

    __tablename__ = "proofs"

    proof_id: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    asked_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class TokenRow(IntakeTable, table=True):
    """An adapter's token; the secret itself is nowhere."""

    __tablename__ = "tokens"

    token_id: str = Field(primary_key=True)
    name: str = Field(index=True)
    fingerprint: str
    issued_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
