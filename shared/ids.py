"""Identifiers made on the client: ordered by time, so that indexes stay dense."""

from datetime import datetime
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """A UUIDv7 as text."""
    return str(uuid7())


def made_since(identifier: str, moment: datetime) -> bool:
    """Whether `new_id` made this one at `moment` or later, by the time that is part of it."""
    try:
        return UUID(identifier).int >> 80 >= int(moment.timestamp() * 1000)
    except ValueError:
        return False
