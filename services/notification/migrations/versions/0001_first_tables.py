"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 2


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("known", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_table(
        "contacts",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("tracking_code", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("wechat_account", sa.String(), nullable=True),
        sa.Column("wechat_openid", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_table(
        "reply_words",
        sa.Column("words_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("words_id"),
    )
    op.create_index(
        op.f("ix_reply_words_feedback_id"), "reply_words", ["feedback_id"], unique=False
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ce_id", sa.String(), nullable=True),
        sa.Column("feedback_id", sa.String(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="null: refused by nobody, only waiting"
        ),
        sa.Column(
            "missing",
            sa.String(),
            nullable=True,
            comment="what has to be taken in before: source and numbers",
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        comment="Events that could not be taken in, and those that wait behind them.",
    )
    op.create_index("dead_letters_case", "dead_letters", ["feedback_id", "id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("ce_id", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("rate_limit_key", sa.String(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resent_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("feedback_id", "ce_id", "recipient", "channel"),
    )
    op.create_index(
        "deliveries_awaiting",
        "deliveries",
        ["planned_at"],
        unique=False,
        postgresql_where=sa.text("state = 'awaiting_contact'"),
    )
    op.create_index(
        "deliveries_pending",
        "deliveries",
        ["feedback_id", "recipient", "sort_key"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready', 'retry', 'awaiting_contact', 'sending')"),
    )
    op.create_index(
        "deliveries_receipts",
        "deliveries",
        ["receiver", "first_tried_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'receipt' AND first_tried_at IS NOT NULL"),
    )
    op.create_index(
        "deliveries_sending",
        "deliveries",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["rate_limit_key", "next_try_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready', 'retry')"),
    )
    op.create_table(
        "log_state",
        sa.Column("one", sa.Integer(), server_default="1", nullable=False),
        sa.Column("cluster_id", sa.String(), nullable=True),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("restoring", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("one"),
        comment="Which broker the outbox was published to, and how often it was sent again.",
    )
    op.create_table(
        "log_ends",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "topic", "partition"),
        comment="The highest offset this service was given in each partition.",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ce_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("key", sa.String(collation="C"), nullable=True),
        sa.Column(
            "seq",
            sa.Integer(),
            nullable=True,
            comment="1, 2, 3 … per case; null outside feedback.events",
        ),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="null is a tombstone"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "refused",
            sa.Text(),
            nullable=True,
            comment="why the broker will not take it; null as a rule",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ce_id"),
        comment="What this service emitted: its own log, which Kafka's can be made from.",
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0.02,
            "autovacuum_vacuum_threshold": 10_000,
        },
    )
    op.create_index(
        "outbox_keys",
        "outbox",
        ["topic", "key", "id"],
        unique=False,
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_index(
        "outbox_offset",
        "outbox",
        ["generation", "topic", "partition", "offset"],
        unique=True,
        postgresql_where=sa.text('"offset" IS NOT NULL'),
    )
    op.create_index(
        "outbox_refused",
        "outbox",
        ["key"],
        unique=False,
        postgresql_where=sa.text("refused IS NOT NULL"),
    )
    op.create_index(
        "outbox_sequence",
        "outbox",
        ["key", "seq"],
        unique=True,
        postgresql_where=sa.text("seq IS NOT NULL"),
    )
    op.create_index(
        "outbox_waiting",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "streams",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "taken",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="source → last ce_sequence taken in, dead letters included",
        ),
        sa.Column("letters", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
        comment="One row a case: its lock, what was emitted and taken in, how many dead letters.",
        postgresql_with={"fillfactor": 60},
    )
    op.create_table(
        "wechat_tokens",
        sa.Column("appid", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid"),
    )


def downgrade() -> None:
    op.drop_table("wechat_tokens")
    op.drop_table("streams")
    op.drop_table("outbox")
    op.drop_table("log_ends")
    op.drop_table("log_state")
    op.drop_index(
        "deliveries_waiting",
        table_name="deliveries",
        postgresql_where=sa.text("state IN ('ready', 'retry')"),
    )
    op.drop_index(
        "deliveries_sending", table_name="deliveries", postgresql_where=sa.text("state = 'sending'")
    )
    op.drop_index(
        "deliveries_receipts",
        table_name="deliveries",
        postgresql_where=sa.text("kind = 'receipt' AND first_tried_at IS NOT NULL"),
    )
    op.drop_index(
        "deliveries_pending",
        table_name="deliveries",
        postgresql_where=sa.text("state IN ('ready', 'retry', 'awaiting_contact', 'sending')"),
    )
    op.drop_index(
        "deliveries_awaiting",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'awaiting_contact'"),
    )
    op.drop_table("deliveries")
    op.drop_index("dead_letters_case", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(op.f("ix_reply_words_feedback_id"), table_name="reply_words")
    op.drop_table("reply_words")
    op.drop_table("contacts")
    op.drop_table("cases")
