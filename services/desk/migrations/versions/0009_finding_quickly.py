"""The indexes by which it is found."""

from shared.db.indexes import index_concurrently

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 3


def upgrade() -> None:
    for name, table, column in (
        ("words_place", "words", "search_place"),
        ("messages_search", "messages", "search"),
    ):
        index_concurrently(
            name,
            table,
            [column],
            postgresql_using="gin",
            postgresql_ops={column: "gin_trgm_ops"},
        )
