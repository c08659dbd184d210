"""The delivery ledger, what is known of cases, contacts, and WeChat's access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.notification.domain import Contact
from shared.db.tables import document, moment, own_registry
from shared.messaging.tables import messaging_tables


class NotificationTable(SQLModel, registry=own_registry()):
    __abstract__ = True


messaging_tables(NotificationTable.metadata)

WAITING_SQL = "state IN ('ready', 'retry')"
PENDING_SQL = "state IN ('ready', 'retry', 'awaiting_contact', 'sending')"


class CaseRow(NotificationTable, table=True):
    """A case as far as messages need it."""

    __tablename__ = "cases"

    feedback_id: str = Field(primary_key=True)
    known: dict[str, Any] = document()


class PrivateRow(NotificationTable, table=True):
    """How to reach a reporter: no name, no words. Deleted by the erasure."""

    __tablename__ = "contacts"

    feedback_id: str = Field(primary_key=True)
    tracking_code: str
    email: str | None = None
    wechat_account: str | None = None
    wechat_openid: str | None = None

    @property
    def contact(self) -> Contact:
        return Contact(email=self.email or None, openid=self.wechat_openid or None)


class ReplyWordsRow(NotificationTable, table=True):
    """Staff's words for the reporter, unmasked, until the delivery that sends them has them."""

    __tablename__ = "reply_words"

    words_id: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    text: str = Field(sa_type=Text)


class DeliveryRow(NotificationTable, table=True):
    """One message about one event to one recipient on one channel. Never holds an address."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("feedback_id", "ce_id", "recipient", "channel"),
        Index(
            "deliveries_waiting",
            "rate_limit_key",
            "next_try_at",
            postgresql_where=text(WAITING_SQL),
        ),
        Index(
            "deliveries_pending",
            *("feedback_id", "recipient", "sort_key"),
            postgresql_where=text(PENDING_SQL),
        ),
        Index("deliveries_sending", "lease_until", postgresql_where=text("state = 'sending'")),
        Index(
            "deliveries_awaiting",
            "planned_at",
            postgresql_where=text("state = 'awaiting_contact'"),
        ),
        Index("deliveries_uncertain", "feedback_id", postgresql_where=text("state = 'uncertain'")),
        Index(
            "deliveries_receipts",
            *("receiver", "first_tried_at"),
            postgresql_where=text("kind = 'receipt' AND first_tried_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    feedback_id: str
    ce_id: str
    correlation_id: str
    recipient: str
    kind: str
    channel: str = ""
    """Empty while the contact is awaited."""
    turn: int = 0
    state: str
    params: dict[str, Any] = document()
    """What the message says; emptied once it is out."""
    sort_key: str
    """Grows: messages of a case reach a recipient in this order."""
    rate_limit_key: str = ""
    """What slows down together: a mail domain (as a keyed hash), an official account."""
    receiver: str = ""
    """Keyed hash of the address."""
    message_id: str
    """Fixed before the first attempt."""
    event_at: datetime = moment()
    planned_at: datetime = moment()
    next_try_at: datetime | None = moment(nullable=True)
    attempts: int = 0
    first_tried_at: datetime | None = moment(nullable=True)
    lease_until: datetime | None = moment(nullable=True)
    worker: str | None = None
    reason: str | None = Field(default=None, sa_column=Column(Text))
    finished_at: datetime | None = moment(nullable=True)
    resent_at: datetime | None = moment(nullable=True)
    resent_by: str | None = None


class WechatTokenRow(NotificationTable, table=True):
    """The access token of one official account."""

    __tablename__ = "wechat_tokens"

    appid: str = Field(primary_key=True)
    value: str
    expires_at: datetime = moment()
