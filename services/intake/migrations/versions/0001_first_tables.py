"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "intake_0001"
down_revision = None
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 2


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_index(op.f("ix_answers_at"), "answers", ["at"], unique=False)
    op.create_table(
        "cases",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
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
        "nonces",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_nonces_seen_at"), "nonces", ["seen_at"], unique=False)
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
        "submissions",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("tracking_code", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("source_message_id", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("desk", sa.String(), nullable=True),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("wechat_account", sa.String(), nullable=True),
        sa.Column("wechat_openid", sa.String(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("submissions_code", "submissions", ["code_hash"], unique=True)
    op.create_index(
        "submissions_desk",
        "submissions",
        ["feedback_id"],
        unique=False,
        postgresql_where=sa.text("desk IS NOT NULL"),
    )
    op.create_index(
        "submissions_source",
        "submissions",
        ["channel", "account", "source_message_id"],
        unique=True,
        postgresql_where=sa.text("source_message_id IS NOT NULL"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_id"),
    )
    op.create_index(op.f("ix_tokens_name"), "tokens", ["name"], unique=False)
    op.create_table(
        "words",
        sa.Column("words_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("words_id"),
    )
    op.create_index(op.f("ix_words_feedback_id"), "words", ["feedback_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_words_feedback_id"), table_name="words")
    op.drop_table("words")
    op.drop_index(op.f("ix_tokens_name"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(
        "submissions_source",
        table_name="submissions",
        postgresql_where=sa.text("source_message_id IS NOT NULL"),
    )
    op.drop_index(
        "submissions_desk", table_name="submissions", postgresql_where=sa.text("desk IS NOT NULL")
    )
    op.drop_index("submissions_code", table_name="submissions")
    op.drop_table("submissions")
    op.drop_table("streams")
    op.drop_table("outbox")
    op.drop_table("log_ends")
    op.drop_index(op.f("ix_nonces_seen_at"), table_name="nonces")
    op.drop_table("nonces")
    op.drop_table("log_state")
    op.drop_index("dead_letters_case", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_table("cases")
    op.drop_index(op.f("ix_answers_at"), table_name="answers")
    op.drop_table("answers")
