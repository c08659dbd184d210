"""What every service's ``migrations/env.py`` runs: Alembic on the connection it was given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script

from shared.db.migrate import record
from shared.db.revisions import TABLE


def run() -> None:
    """Run the migrations, each in a transaction of its own with the revision it makes."""
    attributes = context.config.attributes

    def entered(
        ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Any
    ) -> None:
        assert ctx.connection is not None
        assert isinstance(step.up_revision, Script)
        record(ctx.connection, step.up_revision)

    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        compare_type=True,
        include_name=lambda name, kind, _: (kind, name) != ("table", TABLE),
        transactional_ddl=True,
        # What is built outside a transaction (an index) must not end one of other migrations.
        transaction_per_migration=True,
        on_version_apply=entered,
    )
    context.run_migrations()
