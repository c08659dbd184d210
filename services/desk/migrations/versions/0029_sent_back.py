"""A reply that was sent back: as it was it goes out with the consent of a head only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("cases", sa.Column("sent_back", postgresql.JSONB(astext_type=sa.Text())))
