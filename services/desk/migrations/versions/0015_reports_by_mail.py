"""Which reports somebody does not want by mail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column(
        "people",
        sa.Column("no_reports", _JSON, nullable=False, server_default=sa.text("'[]'::jsonb")),
    )
