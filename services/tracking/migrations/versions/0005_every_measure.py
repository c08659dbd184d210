"""What the measures of the board rest on, and by what more they can be filtered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    op.create_table(
        "occurrences",
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("reporter_group", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("feedback_id", "seq", "kind"),
    )
    op.create_index("occurrences_kind", "occurrences", ["kind", "at"], unique=False)
    op.add_column("cases", sa.Column("reporter_group", sa.String(), nullable=True))
    op.add_column(
        "cases",
        sa.Column("at_risk", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.add_column("cases", sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "cases",
        sa.Column(
            "measured",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
    for name in ("priority", "reporter_group"):
        op.add_column("durations", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column(
        "generation", sa.Column("projection", sa.Integer(), nullable=False, server_default="1")
    )
