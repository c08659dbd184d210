"""What all who report an incident were answered last, so that who comes later hears it, too."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("incidents", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
