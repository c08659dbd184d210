"""Themes that were found by meaning, until a person keeps or dismisses them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_JSON = postgresql.JSONB(astext_type=sa.Text())
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "theme_suggestions",
        sa.Column("suggestion_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("cases", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("said", _JSON, nullable=False),
        sa.Column("theme_id", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("suggestion_id"),
    )
    op.create_index("theme_suggestions_status", "theme_suggestions", ["status", "made_at"])
