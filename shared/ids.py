"""Identifiers made on the client: ordered by time, so that indexes stay dense."""

from uuid_utils import uuid7


def new_id() -> str:
    """A UUIDv7 as text."""
    return str(uuid7())
