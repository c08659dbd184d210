"""What replies need: the rule a category goes by, and which cases need a second pair of eyes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    op.add_column("categories", sa.Column("rule", sa.String(), nullable=True))
    op.create_table(
        "review_rules",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code"),
    )
