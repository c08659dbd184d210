"""A service with a history of migrations that a test writes, for as many of its releases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import MetaData

from shared.messaging.subscription import Subscription
from shared.messaging.tables import messaging_tables
from shared.service import Runtime, Service

_names = itertools.count()


@dataclass(frozen=True)
class Step:
    """A migration: the oldest revision it works with, its release, and the body of `upgrade`."""

    works_with: str
    release: int
    body: str = "op.execute('SELECT 1')"


@dataclass
class Histories:
    """Services over one database, each with the code of another release."""

    runtime: Runtime
    folder: Path
    name: str = field(default_factory=lambda: f"toy_{next(_names)}")

    def service(self, *steps: Step) -> Service:
        """The code of a release whose newest migration is the last of `steps`: 0001, 0002, …"""
        migrations = self.folder / f"until-{len(steps)}-{next(_names)}"
        versions = migrations / "versions"
        versions.mkdir(parents=True)
        (migrations / "env.py").write_text("from shared.db.alembic_env import run\n\nrun()\n")
        for number, step in enumerate(steps, 1):
            before = f"{number - 1:04}" if number > 1 else None
            (versions / f"{number:04}.py").write_text(
                "from alembic import op\n"
                "import sqlalchemy as sa\n"
                "from shared.db.indexes import index_concurrently\n"
                "from tests.upgrades.histories import first_tables\n"
                f"revision = {f'{number:04}'!r}\ndown_revision = {before!r}\n"
                f"WORKS_WITH = {step.works_with!r}\nRELEASE = {step.release}\n"
                f"def upgrade():\n    {step.body}\n"
            )
        return Service(
            self.name,
            self.runtime,
            metadata=_metadata(),
            migrations=migrations,
            subscription=Subscription({}),
        )


def first_tables(bind: object) -> None:
    """The messaging tables, which every service's first migration makes."""
    _metadata().create_all(bind)  # type: ignore[arg-type]


def _metadata() -> MetaData:
    metadata = MetaData()
    messaging_tables(metadata)
    return metadata


FIRST = Step("0001", 2, "first_tables(op.get_bind())")
"""The messaging tables."""
