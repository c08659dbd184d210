"""What cases mean: a vector each, and the model that made it."""

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
    op.create_table(
        "vectors",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("vectors_model", "vectors", ["model"])
