"""When the reporter was asked last: the same words again are then an answer of their own."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0011"
down_revision = "intake_0010"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("cases", sa.Column("questioned_at", sa.DateTime(timezone=True), nullable=True))
