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
        "cases",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("case_type", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("reopenings", sa.Integer(), nullable=False),
        sa.Column("first_dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("solved", sa.String(), nullable=True),
        sa.Column("promises", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("resolution_overdue", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index(
        "cases_department_due",
        "cases",
        ["department", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND NOT overdue"),
    )
    op.create_index(
        "cases_due",
        "cases",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND NOT overdue"),
    )
    op.create_index(op.f("ix_cases_code_hash"), "cases", ["code_hash"], unique=False)
    op.create_table(
        "counters",
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("bucket", sa.DateTime(timezone=True), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("measure", "scope", "bucket", "department", "detail"),
        postgresql_with={"fillfactor": 60},
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
        "durations",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_time", sa.Boolean(), nullable=False),
        sa.Column("working_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "clock", "cycle"),
    )
    op.create_index(
        "durations_met",
        "durations",
        ["clock", "met_at"],
        unique=False,
        postgresql_include=["working_seconds", "department", "category", "channel"],
    )
    op.create_table(
        "generation",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "lines",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "seq"),
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


def downgrade() -> None:
    """Views are not taken back, they are projected anew."""
    raise NotImplementedError
