"""Indexes for the cases behind two figures of the board: what came in, and what is late."""

import sqlalchemy as sa

from shared.db.indexes import index_concurrently

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    index_concurrently("cases_received", "cases", ["received_at"])
    index_concurrently(
        "cases_resolution_overdue",
        "cases",
        ["feedback_id"],
        postgresql_where=sa.text("resolution_overdue"),
    )
