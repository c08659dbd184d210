"""Alembic's way in."""

from shared.db.alembic_env import run

run()
