"""What undoes a job over many cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("job_items", sa.Column("undo", _JSON, nullable=True))
    op.create_index(
        "jobs_about", "jobs", ["subject"], postgresql_where=sa.text("subject IS NOT NULL")
    )
