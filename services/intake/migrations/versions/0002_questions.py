"""Questions that are answered in WeChat; parts of a comment."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0002"
down_revision = "intake_0001"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 3


def upgrade() -> None:
    op.add_column("cases", sa.Column("parent", sa.String(), nullable=True))
    op.create_index("ix_cases_parent", "cases", ["parent"])
    op.create_table(
        "questions",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("openid", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("questions_of_follower", "questions", ["account", "openid"])
