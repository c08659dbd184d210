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
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "cases",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("previous_department", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("case_type", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("decided", sa.String(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("desk", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("confidence_asked", sa.Boolean(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("assignee_name", sa.String(), nullable=True),
        sa.Column("binding", sa.Boolean(), nullable=False),
        sa.Column("returned_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rated", sa.Boolean(), nullable=False),
        sa.Column("words_owed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urged", sa.Integer(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("promises", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("timeline_length", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "cases_by_due", "cases", ["next_due_at", "received_at", "feedback_id"], unique=False
    )
    op.create_index(
        "cases_entered",
        "cases",
        ["entered_by", "next_due_at", "received_at", "feedback_id"],
        unique=False,
        postgresql_where=sa.text("entered_by IS NOT NULL"),
    )
    op.create_index(
        "cases_in_state",
        "cases",
        ["state", "next_due_at", "received_at", "feedback_id"],
        unique=False,
    )
    op.create_index(
        "cases_of_department",
        "cases",
        ["department", "next_due_at", "received_at", "feedback_id"],
        unique=False,
    )
    op.create_index(
        "cases_of_department_in_state",
        "cases",
        ["department", "state", "next_due_at", "received_at", "feedback_id"],
        unique=False,
    )
    op.create_index(
        "cases_of_person",
        "cases",
        ["assignee", "next_due_at", "received_at", "feedback_id"],
        unique=False,
        postgresql_where=sa.text("assignee IS NOT NULL"),
    )
    op.create_index(
        "cases_owed",
        "cases",
        ["next_due_at", "received_at", "feedback_id"],
        unique=False,
        postgresql_where=sa.text("words_owed_since IS NOT NULL"),
    )
    op.create_index("cases_by_code", "cases", ["code_hash"], unique=False, postgresql_using="hash")
    op.create_index(
        "cases_waiting",
        "cases",
        ["waiting_since"],
        unique=False,
        postgresql_where=sa.text("state = 'WAITING_USER'"),
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
        "decisions",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("decided", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_table(
        "categories",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("zh", sa.String(), nullable=False),
        sa.Column("en", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "departments",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("zh", sa.String(), nullable=False),
        sa.Column("en", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
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
        "messages",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("words_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("messages_of_case", "messages", ["feedback_id", "at"], unique=False)
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
        "people",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "private",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("search_words", sa.Text(), nullable=False),
        sa.Column("search_person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    for column in ("search_words", "search_person"):
        op.create_index(
            f"private_{column}",
            "private",
            [column],
            unique=False,
            postgresql_using="gin",
            postgresql_ops={column: "gin_trgm_ops"},
        )
    op.create_table(
        "private_words",
        sa.Column("words_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("words_id"),
    )
    op.create_index(
        op.f("ix_private_words_feedback_id"), "private_words", ["feedback_id"], unique=False
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
        "timeline",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ce_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "seq"),
    )
    op.create_table(
        "words",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index(
        "words_search",
        "words",
        ["search"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )


def downgrade() -> None:
    op.drop_index(
        "words_search",
        table_name="words",
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.drop_table("words")
    op.drop_table("timeline")
    op.drop_table("streams")
    op.drop_index(op.f("ix_private_words_feedback_id"), table_name="private_words")
    op.drop_table("private_words")
    op.drop_table("private")
    op.drop_table("people")
    op.drop_table("outbox")
    op.drop_table("log_ends")
    op.drop_index("messages_of_case", table_name="messages")
    op.drop_table("messages")
    op.drop_table("log_state")
    op.drop_table("departments")
    op.drop_table("categories")
    op.drop_table("decisions")
    op.drop_index("dead_letters_case", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(
        "cases_waiting", table_name="cases", postgresql_where=sa.text("state = 'WAITING_USER'")
    )
    op.drop_index(
        "cases_of_person", table_name="cases", postgresql_where=sa.text("assignee IS NOT NULL")
    )
    op.drop_index("cases_of_department_in_state", table_name="cases")
    op.drop_index("cases_of_department", table_name="cases")
    op.drop_index("cases_in_state", table_name="cases")
    op.drop_index(
        "cases_entered", table_name="cases", postgresql_where=sa.text("entered_by IS NOT NULL")
    )
    op.drop_index("cases_by_due", table_name="cases")
    op.drop_table("cases")
