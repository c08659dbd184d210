"""Surges: under what each case is counted, and of what suddenly more was said."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "case_matters",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("case_matters_at", "case_matters", ["at"])
    op.create_index("case_matters_keys", "case_matters", ["keys"], postgresql_using="gin")
    op.create_index(
        "case_matters_left", "case_matters", ["at"], postgresql_where=sa.text("NOT judged")
    )
    op.create_table(
        "surges",
        sa.Column("surge_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("found_at", _MOMENT, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Float(), nullable=False),
        sa.Column("cases", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("surge_id"),
    )
    op.create_index("surges_status", "surges", ["status", "found_at"])
