"""Incidents that a follower in WeChat was offered to join by one short word."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "intake_0004"
down_revision = "intake_0003"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("openid", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("incidents", ARRAY(sa.String()), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chosen", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("account", "openid"),
    )
    op.create_index("ix_offers_feedback_id", "offers", ["feedback_id"])
    op.create_index("ix_offers_offered_at", "offers", ["offered_at"])
