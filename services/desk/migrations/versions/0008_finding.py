"""Where it was and what was written later can be found, and people keep lists under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3

_MOMENT = sa.DateTime(timezone=True)
# As `domain.search.findable` does: without case and width, each letter twice.
_FINDABLE = r"regexp_replace(lower(normalize({}, NFKC)), '(.)', '\1\1', 'g')"


def upgrade() -> None:
    for table, column in (("words", "search_place"), ("messages", "search")):
        op.add_column(
            table, sa.Column(column, sa.Text(), nullable=False, server_default=sa.text("''"))
        )
    op.execute(
        f"UPDATE words SET search_place = {_FINDABLE.format('c.place')} "
        "FROM cases AS c WHERE c.feedback_id = words.feedback_id AND c.place > ''"
    )
    op.execute(f"UPDATE messages SET search = {_FINDABLE.format('text')}")
    op.create_table(
        "filters",
        sa.Column("filter_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("filter_id"),
    )
    op.create_index("filters_of_person", "filters", ["username", "name"])
