"""Of which broken promises somebody has said why: said once more, it counts instead."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column(
        "cases",
        sa.Column(
            "reasons_given",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'[]'::jsonb"),
        ),
    )
