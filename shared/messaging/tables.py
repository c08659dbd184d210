"""The rows every service keeps for the log: streams, outbox, dead letters, log state."""

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

_TAKEN = "source → last ce_sequence taken in, dead letters included"


def messaging_tables(metadata: MetaData) -> None:
    """Add the messaging tables to a service's own metadata."""
    Table(
        "streams",
        metadata,
        Column("feedback_id", String, primary_key=True),
        Column("seq", Integer, nullable=False, server_default="0"),
        Column("taken", JSONB, nullable=False, server_default="{}", comment=_TAKEN),
        Column("letters", Integer, nullable=False, server_default="0"),
        comment="One row a case: its lock, what was emitted and taken in, how many dead letters.",
        # Every transaction writes the row twice: with room on its page no index is touched.
        postgresql_with={"fillfactor": 60},
    )
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("ce_id", String, nullable=False, unique=True),
        Column("topic", String, nullable=False),
        # Bytewise on every server, so that the keys of a case are one range of an index.
        Column("key", String(collation="C")),
        Column("seq", Integer, comment="1, 2, 3 … per case; null outside feedback.events"),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, comment="null is a tombstone"),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("generation", Integer, nullable=False, server_default="0"),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("published_at", DateTime(timezone=True)),
        Column("refused", Text, comment="why the broker will not take it; null as a rule"),
        Index(
            "outbox_waiting",
            "id",
            postgresql_where=text("published_at IS NULL"),
        ),
        Index("outbox_refused", "key", postgresql_where=text("refused IS NOT NULL")),
        Index(
            "outbox_sequence",
            "key",
            "seq",
            unique=True,
            postgresql_where=text("seq IS NOT NULL"),
        ),
        Index("outbox_keys", "topic", "key", "id", postgresql_where=text("seq IS NULL")),
        Index(
            "outbox_offset",
            "generation",
            "topic",
            "partition",
            "offset",
            unique=True,
            postgresql_where=text('"offset" IS NOT NULL'),
        ),
        comment="What this service emitted: its own log, which Kafka's can be made from.",
        # Each row is marked once, which leaves a dead version that no free page can avoid (its
        # indexes change): the room is found again early, not after a fifth of ten million rows.
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0.02,
            "autovacuum_vacuum_threshold": 10_000,
        },
    )
    Table(
        "log_ends",
        metadata,
        Column("generation", Integer, primary_key=True),
        Column("topic", String, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("offset", BigInteger, nullable=False),
        comment="The highest offset this service was given in each partition.",
        # A few rows that every batch of the relay writes: with room on the page no index is.
        postgresql_with={"fillfactor": 50},
    )
    Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("ce_id", String),
        Column("feedback_id", String),
        Column("topic", String, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary),
        Column("error", Text, comment="null: refused by nobody, only waiting"),
        Column("missing", String, comment="what has to be taken in before: source and numbers"),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("dead_letters_case", "feedback_id", "id"),
        comment="Events that could not be taken in, and those that wait behind them.",
    )
    Table(
        "passed_over",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("feedback_id", String, nullable=False),
        Column("source", String, nullable=False),
        Column("first", Integer, comment="the numbers; null where the event has none"),
        Column("last", Integer),
        Column("ce_id", String, comment="null, as all to the offset: they never came"),
        Column("type", String),
        Column("topic", String),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("reason", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("passed_over_case", "feedback_id"),
        comment="Events that an operator said to do without. It is made of nothing: never emptied.",
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
