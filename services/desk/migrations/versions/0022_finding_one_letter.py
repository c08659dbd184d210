"""What one letter is found by, and numbers of people: no two numbers share most of it."""

from sqlalchemy import text

from shared.db.indexes import index_concurrently

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_LETTERS = (
    ("words", "search"),
    ("words", "search_place"),
    ("messages", "search"),
    ("private", "search_words"),
    ("private", "search_person"),
)
_ONCE = r"regexp_replace(search_person, '(.)\1', '\1', 'g') gin_trgm_ops"


def upgrade() -> None:
    for table, column in _LETTERS:
        letters = text(f"string_to_array({column}, NULL)")
        index_concurrently(f"{table}_{column}_letters", table, [letters], postgresql_using="gin")
    index_concurrently("private_person_once", "private", [text(_ONCE)], postgresql_using="gin")
