"""The published language of the house: every fact, every code. Depends on pydantic only."""

from shared.contracts import desk, intake, notification, routing, sla
from shared.contracts.event import (
    DIRECTORY,
    EVENTS,
    INBOUND,
    INBOUND_REJECTED,
    PRIVATE,
    REGISTER,
    REPORTER,
    SYSTEM,
    Actor,
    Event,
    short_type,
)

__all__ = [
    "DIRECTORY",
    "EVENTS",
    "INBOUND",
    "INBOUND_REJECTED",
    "PRIVATE",
    "REGISTER",
    "REPORTER",
    "SYSTEM",
    "Actor",
    "Event",
    "desk",
    "intake",
    "notification",
    "routing",
    "short_type",
    "sla",
]
