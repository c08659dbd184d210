"""What keeps a process from starting on a database."""

from __future__ import annotations


class DatabaseNotReady(Exception):
    """The service's database is missing or not migrated; says what to run."""
