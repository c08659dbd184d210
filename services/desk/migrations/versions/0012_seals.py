"""Seals: a row that was changed past the code that writes it is found."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    for table in ("cases", "words", "decisions", "private", "private_words"):
        op.add_column(table, sa.Column("seal", sa.String(), nullable=True))
