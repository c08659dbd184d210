"""Which cases began when seals had a key, and how often a canned reply was used."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column(
        "cases", sa.Column("keyed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "canned_replies",
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
