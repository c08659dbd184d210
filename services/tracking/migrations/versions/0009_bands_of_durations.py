"""How long things took, in bands by day; and which days changed, for whoever kept their sums.

The bands are counted from the durations that stand here: three for each case, some half a minute
for a million cases. The steps by which a band is wider than the one before are written out, since
they are what the rows mean. What code of a release before adds beside this one, and after it, has
no bands: a job finds and mends that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WORKS_WITH = "0001"
RELEASE = 4

_FILL = """
INSERT INTO duration_bands (scope, clock, bucket, band, n, seconds)
SELECT s.scope, d.clock, date_trunc('day', d.met_at, :zone),
  width_bucket(d.working_seconds, cast(:edges AS int[])), count(*), sum(d.working_seconds)
FROM durations d, LATERAL (VALUES (''),
  ('category:' || replace(d.category, ':', ';')), ('channel:' || replace(d.channel, ':', ';')),
  ('priority:' || replace(d.priority, ':', ';')),
  ('reporter_group:' || replace(d.reporter_group, ':', ';')),
  ('department:' || replace(d.department, ':', ';'))) AS s (scope)
GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    op.create_table(
        "duration_bands",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("bucket", sa.DateTime(timezone=True), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "clock", "bucket", "band"),
    )
    op.create_table(
        "changed_days",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    edges = [60]
    while edges[-1] < 4 * 10**8:
        edges.append(edges[-1] + max(1, edges[-1] // 50))
    op.get_bind().execute(sa.text(_FILL), {"zone": "Asia/Shanghai", "edges": edges})
