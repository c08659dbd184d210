"""Which pictures a reporter sent, and with which words; the pictures themselves are intake's."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("picture_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("feedback_id", "picture_id"),
    )
    op.create_index(
        "pictures_origin",
        "pictures",
        ["origin"],
        postgresql_where=sa.text("origin IS NOT NULL"),
    )
