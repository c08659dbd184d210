"""Words that wait until a follower in WeChat writes again."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0005"
down_revision = "intake_0004"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.create_table(
        "unreached",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("openid", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("unreached_of_follower", "unreached", ["account", "openid"])
    op.create_index("ix_unreached_since", "unreached", ["since"])
