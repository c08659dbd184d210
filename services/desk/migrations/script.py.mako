"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

# The oldest revision whose code still works on these tables; the release this goes out with.
WORKS_WITH = ${repr(config.attributes["works_with"])}
RELEASE = ${config.attributes["release"]}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
