"""Quiet hours are part of the promises; what is empty has those that were shipped."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("policies", sa.Column("quiet", postgresql.JSONB(astext_type=sa.Text())))
