"""The rows every service keeps for the log: streams, outbox, inbox, dead letters, log state."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB


def messaging_tables(metadata: MetaData) -> None:
    """Add the messaging tables to a service's own metadata."""
    Table(
        "streams",
        metadata,
        Column("feedback_id", String, primary_key=True),
        Column("seq", Integer, nullable=False, server_default="0"),
        comment="One row a case: its lock, and the sequence of what this service told about it.",
    )
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("ce_id", String, nullable=False, unique=True),
        Column("topic", String, nullable=False),
        Column("key", String),
        Column("seq", Integer, comment="1, 2, 3 … per case; null outside feedback.events"),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, comment="null is a tombstone"),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("generation", Integer, nullable=False, server_default="0"),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("published_at", DateTime(timezone=True)),
        Index("outbox_waiting", "id", postgresql_where=text("published_at IS NULL")),
        Index(
            "outbox_sequence",
            "key",
            "seq",
            unique=True,
            postgresql_where=text("seq IS NOT NULL"),
        ),
        Index(
            "outbox_place",
            "topic",
            "partition",
            "offset",
            "generation",
            unique=True,
            postgresql_where=text('"offset" IS NOT NULL'),
        ),
        comment="What this service told: its own log, kept for ever.",
    )
    Table(
        "inbox",
        metadata,
        Column("ce_id", String, primary_key=True),
        comment="What this service has taken in; a second delivery finds itself here.",
    )
    Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("ce_id", String, unique=True),
        Column("feedback_id", String),
        Column("topic", String, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary),
        Column("error", Text, comment="null: parked behind an earlier letter of the case"),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("dead_letters_case", "feedback_id", "id"),
        comment="Facts that could not be taken in, and those that wait behind them.",
    )
    Table(
        "log_state",
        metadata,
        Column("one", Integer, primary_key=True, server_default="1"),
        Column("cluster_id", String),
        Column("generation", Integer, nullable=False, server_default="0"),
        Column("restoring", Integer, nullable=False, server_default="0"),
        comment="Which broker the outbox was published to, and how often it was sent again.",
    )
