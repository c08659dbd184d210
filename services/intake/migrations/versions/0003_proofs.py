"""Who shows that a mailbox is theirs: what was asked, and comments by their address."""

import sqlalchemy as sa
from alembic import op

from shared.db.indexes import index_concurrently

revision = "intake_0003"
down_revision = "intake_0002"
branch_labels = None
depends_on = None

WORKS_WITH = "intake_0001"
RELEASE = 3


def upgrade() -> None:
    index_concurrently(
        "submissions_email",
        "submissions",
        [sa.text("lower(email)")],
        postgresql_where=sa.text("email IS NOT NULL AND NOT anonymous"),
    )
    op.create_table(
        "proofs",
        sa.Column("proof_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("proof_id"),
    )
    op.create_index("ix_proofs_feedback_id", "proofs", ["feedback_id"])
