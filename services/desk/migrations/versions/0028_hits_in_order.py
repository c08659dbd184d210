"""Hits of a search are put in order by an index alone, without the rows of cases."""

from shared.db.indexes import index_concurrently

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    index_concurrently(
        "cases_by_id",
        "cases",
        ["feedback_id"],
        postgresql_include=["next_due_at", "received_at", "anonymous", "confidential"],
    )
