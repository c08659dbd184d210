"""The record: a hash chain over timeline and messages, who read what is personal; drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("timeline_hash", sa.String(), nullable=True))
    op.add_column("cases", sa.Column("messages_hash", sa.String(), nullable=True))
    op.add_column("timeline", sa.Column("hash", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("hash", sa.String(), nullable=True))
    op.create_table(
        "readings",
        sa.Column("ce_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("ce_id"),
    )
    op.create_index("readings_of_case", "readings", ["feedback_id", "username", "at"])
    op.create_table(
        "drafts",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("saved_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "username"),
    )
