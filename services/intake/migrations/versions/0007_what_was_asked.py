"""What somebody in WeChat was asked, as the log has it: to thanks alone it is said again."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0007"
down_revision = "intake_0006"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 4


def upgrade() -> None:
    op.add_column("questions", sa.Column("question", sa.Text(), nullable=True))
