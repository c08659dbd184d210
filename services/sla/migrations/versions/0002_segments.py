"""The time of each department with a case; progress notes that are owed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    op.add_column(
        "cases",
        sa.Column(
            "segments",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'[]'::jsonb"),
        ),
    )
    op.add_column(
        "clocks",
        sa.Column("progress", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
