"""Who looks at a case now, and who was named in a note."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "viewers",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "username"),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "mentions",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "username"),
    )
    op.create_index("mentions_of_person", "mentions", ["username"])
