"""What a number in the words, or in a place, is found by."""

from sqlalchemy import text

from shared.db.indexes import index_concurrently

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_ONCE = r"regexp_replace({}, '(.)\1', '\1', 'g') gin_trgm_ops"


def upgrade() -> None:
    for name, column in (("words_search_once", "search"), ("words_place_once", "search_place")):
        index_concurrently(name, "words", [text(_ONCE.format(column))], postgresql_using="gin")
