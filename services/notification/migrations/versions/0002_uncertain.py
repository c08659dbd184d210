"""An index for the deliveries nobody knows the end of, which are few among many."""

import sqlalchemy as sa

from shared.db.indexes import index_concurrently

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    index_concurrently(
        "deliveries_uncertain",
        "deliveries",
        ["feedback_id"],
        postgresql_where=sa.text("state = 'uncertain'"),
    )
