"""An index of what cases are chosen by: a few rows of a large table."""

import sqlalchemy as sa

from shared.db.indexes import index_concurrently

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    index_concurrently(
        "counters_values",
        "counters",
        ["scope"],
        postgresql_where=sa.text(
            "measure = 'state' AND bucket = '1970-01-01 00:00:00+00' AND scope NOT LIKE 'cell:%'"
        ),
    )
