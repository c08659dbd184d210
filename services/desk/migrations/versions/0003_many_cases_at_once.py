"""Incidents, jobs over many cases, and words of a joined case's reporter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_JSON = postgresql.JSONB(astext_type=sa.Text())
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("messages", sa.Column("origin", sa.String(), nullable=True))
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_index("incidents_opened", "incidents", ["opened_at"])
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", _JSON, nullable=True),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index(
        "jobs_left", "jobs", ["subject"], postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "job_items",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.Column("detail", _JSON, nullable=True),
        sa.PrimaryKeyConstraint("job_id", "feedback_id"),
    )
    op.create_index(
        "job_items_left",
        "job_items",
        ["job_id", "position"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
