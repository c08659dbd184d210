"""Indexes for the cases behind a number, and for sums by several filters."""

import sqlalchemy as sa

from shared.db.indexes import index_concurrently

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    index_concurrently(
        "cases_open",
        "cases",
        ["received_at"],
        postgresql_where=sa.text(
            "state NOT IN ('CLOSED', 'MERGED', 'REJECTED', 'SPAM', 'WITHDRAWN')"
        ),
    )
    index_concurrently(
        "cases_first_due",
        "cases",
        ["first_due_at"],
        postgresql_where=sa.text("first_due_at IS NOT NULL"),
    )
    index_concurrently(
        "counters_cells",
        "counters",
        ["measure", "bucket"],
        postgresql_where=sa.text("scope LIKE 'cell:%'"),
    )
