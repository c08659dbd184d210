"""The one row of generations has its number by default, as the metadata says; no sequence."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    op.alter_column("generation", "one", server_default="1")
    op.execute("DROP SEQUENCE generation_one_seq")
