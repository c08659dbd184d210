"""First tables."""

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
        "calendars",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recounted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "cases",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("proposal", sa.Boolean(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_table(
        "clocks",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("budget", sa.Interval(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("marked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reopened", sa.Boolean(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused", sa.Interval(), nullable=False),
        sa.Column("extended", sa.Interval(), nullable=False),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "clock", "cycle"),
    )
    op.create_index(
        "clocks_due",
        "clocks",
        ["partition", "next_check_at"],
        unique=False,
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index(
        "clocks_open",
        "clocks",
        ["feedback_id"],
        unique=False,
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
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
        "policies",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("version"),
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


def downgrade() -> None:
    op.drop_table("streams")
    op.drop_table("policies")
    op.drop_table("outbox")
    op.drop_table("log_ends")
    op.drop_table("log_state")
    op.drop_index("dead_letters_case", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(
        "clocks_open",
        table_name="clocks",
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_index(
        "clocks_due", table_name="clocks", postgresql_where=sa.text("next_check_at IS NOT NULL")
    )
    op.drop_table("clocks")
    op.drop_table("cases")
    op.drop_table("calendars")
