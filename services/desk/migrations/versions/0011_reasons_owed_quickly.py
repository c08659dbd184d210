"""The index by which they are found."""

import sqlalchemy as sa

from shared.db.indexes import index_concurrently

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    index_concurrently(
        "cases_owe_reasons",
        "cases",
        ["next_due_at", "received_at", "feedback_id"],
        postgresql_where=sa.text("reasons_owed <> '[]'::jsonb"),
    )
