"""Migrations of intake."""

from shared.db.alembic_env import run

run()
