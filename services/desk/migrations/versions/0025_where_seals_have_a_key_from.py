"""From which case on all is sealed with a key; the table says so under seal itself."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "seal_marks",
        sa.Column("key_name", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("others", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key_name"),
    )
