"""The tables of intake. What a reporter said stands here whole, and nowhere else but in private."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Index, text
from sqlmodel import Field

from services.intake.domain.later import Phase, Standing
from shared.db.tables import moment, registry_for
from shared.messaging.tables import messaging_tables

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
