"""What an operator said to do without: events that never work, numbers that never come."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0010"
down_revision = "intake_0009"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "passed_over",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column(
            "first",
            sa.Integer(),
            nullable=True,
            comment="the numbers; null where the event has none",
        ),
        sa.Column("last", sa.Integer(), nullable=True),
        sa.Column(
            "ce_id",
            sa.String(),
            nullable=True,
            comment="null, as all to the offset: they never came",
        ),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        comment="Events that an operator said to do without. It is made of nothing: never emptied.",
    )
    op.create_index("passed_over_case", "passed_over", ["feedback_id"])
