"""What the row of the policy may depend on, and how a deadline came to be what it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    for name in ("category", "channel", "reporter_group"):
        op.add_column(
            "cases", sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))
        )
    op.add_column("clocks", sa.Column("named_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "clocks",
        sa.Column(
            "pauses",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'[]'::jsonb"),
        ),
    )
