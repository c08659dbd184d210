"""Numbers are found by the digits of what is findable, which are quick to compare with."""

from functools import reduce

from alembic import op
from sqlalchemy import text

from shared.db.indexes import index_concurrently

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_DIGITS = reduce(
    lambda of, digit: f"replace({of}, '{digit}{digit}', '{digit}')",
    "0123456789",
    "regexp_replace({}, '[^0-9]+', ' ', 'g')",
)
_NUMBERS = (
    ("words_search_digits", "words", "search"),
    ("words_place_digits", "words", "search_place"),
    ("private_person_digits", "private", "search_person"),
)
_BEFORE = ("words_search_once", "words_place_once")
"""What numbers were found by since 0024, of this same release; nothing else was."""


def upgrade() -> None:
    for name, table, column in _NUMBERS:
        of = text(f"{_DIGITS.format(column)} gin_trgm_ops")
        index_concurrently(name, table, [of], postgresql_using="gin")
    with op.get_context().autocommit_block():
        for name in _BEFORE:
            op.drop_index(name, "words", if_exists=True, postgresql_concurrently=True)
