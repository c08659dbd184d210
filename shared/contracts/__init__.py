"""The published language of the system: every event, every code. Depends on pydantic only."""

from shared.contracts import desk, intake, notification, routing, sla, tracking
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
    ErasureAcknowledged,
    Event,
    UnknownEvent,
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
    "ErasureAcknowledged",
    "Event",
    "UnknownEvent",
    "desk",
    "intake",
    "notification",
    "routing",
    "short_type",
    "sla",
    "tracking",
]
