"""Since when replies about something are read first, who said so, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("review_rules", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("review_rules", sa.Column("by", sa.String(), nullable=True))
    op.add_column("review_rules", sa.Column("reason", sa.Text(), nullable=True))
