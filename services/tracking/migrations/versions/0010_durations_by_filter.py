"""How long things took, by category and by department: what two filters choose lies together.

An index of days alone is read whole for a month, however few are chosen: of a million cases that
is half a million durations.
"""

from shared.db.indexes import index_concurrently

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_BESIDE = ["channel", "clock", "priority", "reporter_group", "working_seconds"]


def upgrade() -> None:
    for name, other in (("category", "department"), ("department", "category")):
        index_concurrently(
            f"durations_of_{name}",
            "durations",
            [name, "met_at"],
            postgresql_include=[*_BESIDE, other],
        )
