"""What cases mean: the things they name, a vector each, and the model that made it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "meanings",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("things", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("vector", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("meanings_model", "meanings", ["model"])
    op.create_index("meanings_things", "meanings", ["things"], postgresql_using="gin")
