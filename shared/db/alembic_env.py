"""What every service's ``migrations/env.py`` runs: Alembic on the connection it was given."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the migrations inside the caller's transaction."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        compare_type=True,
        transactional_ddl=True,
    )
    context.run_migrations()
