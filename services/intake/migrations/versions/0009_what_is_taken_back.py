"""What a follower in WeChat asked to take back, until they say yes."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0009"
down_revision = "intake_0008"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("chats", sa.Column("taken_back", sa.String(), nullable=True))
