"""What became of a case that did not go the ordinary way."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    op.add_column("cases", sa.Column("outcome", sa.String(), nullable=True))
    op.add_column(
        "cases",
        sa.Column("extended", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.add_column(
        "cases",
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
