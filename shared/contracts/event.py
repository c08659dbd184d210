"""What every event has in common, and the register of all event types."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

EVENTS = "feedback.events"
PRIVATE = "feedback.private"
DIRECTORY = "feedback.directory"
INBOUND = "feedback.inbound"
INBOUND_REJECTED = "feedback.inbound.rejected"

REGISTER: dict[str, type[Event]] = {}
"""Event type (``case.replied.v1``) → class. Filled as the classes are defined."""


class Actor(BaseModel):
    """Who did it. ``name`` is a staff account, never a reporter's name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = "system"
    """``reporter``, ``staff`` or ``system``."""
    name: str | None = None
    display: str | None = None
    role: str | None = None
    """In which of their roles."""
    department: str | None = None
    substitute_for: str | None = None
    """The absent account in whose place they did it."""


SYSTEM = Actor()
REPORTER = Actor(kind="reporter")


class Event(BaseModel):
    """A past-tense event. Readers ignore fields they do not know.

    A subclass names its ``type``, the one service that may emit it, and the fields that hold
    people's words. Those are emptied where an event of an erased person is still kept::

        class CaseReplied(Event, type="case.replied.v1", owner="desk", shred=("text",)):
            text: str

    `shred` has to be said, also where there are no such fields: ``()``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: ClassVar[str]
    owner: ClassVar[str]
    topic: ClassVar[str]
    shred: ClassVar[tuple[str, ...]]

    feedback_id: str
    at: datetime
    """When it happened, aware UTC; travels as ``ce_time`` too."""
    by: Actor = SYSTEM

    def __init_subclass__(
        cls,
        *,
        type: str = "",
        owner: str = "",
        topic: str = EVENTS,
        shred: tuple[str, ...] | None = None,
        **kwargs: object,
    ) -> None:
        """Take the class's address on the log; a class without a type is abstract."""
        super().__init_subclass__(**kwargs)  # type: ignore[arg-type]
        if type:
            if shred is None:
                raise TypeError(f"{type} does not say which fields hold people's words: shred=")
            cls.type, cls.owner, cls.topic, cls.shred = type, owner, topic, shred

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Enter the class in the register under its type."""
        if "type" not in vars(cls):
            return
        if unknown := set(cls.shred) - cls.model_fields.keys():
            raise TypeError(f"{cls.type} cannot shred what it has not: {sorted(unknown)}")
        if REGISTER.setdefault(cls.type, cls) is not cls:
            raise TypeError(f"two classes for the event type {cls.type}")

    @property
    def key(self) -> str:
        """The Kafka key: events of one key keep their order."""
        return self.feedback_id

    @property
    def tombstone(self) -> bool:
        """True where the body on the (compacted) topic is to be empty."""
        return False


class UnknownEvent(Event):
    """An event of a type from tomorrow: what its envelope says, and its body as it came.

    Only who handles `Event` itself is given it; nobody emits it.
    """

    type: str  # type: ignore[misc]
    owner: str  # type: ignore[misc]
    """The service that sent it."""
    body: dict[str, Any] = {}
    """Empty where it cannot be read."""


class ErasureAcknowledged(Event):
    """A service that keeps personal data has forgotten that of a case.

    Each such service has a class of its own, so that an erasure can be followed to its end.
    """

    @property
    def key(self) -> str:
        """One entry per case and service, in the partition of the case."""
        return f"{self.feedback_id}/erased/{self.owner}"


class DirectoryFact(Event):
    """An event about the system, not about a case; `feedback_id` is empty."""

    feedback_id: str = ""


def short_type(event_type: str) -> str:
    """``case.replied.v1`` → ``case.replied``, the name a timeline shows."""
    head, _, version = event_type.rpartition(".")
    return head if version[:1] == "v" and version[1:].isdigit() else event_type


def shred_body(event_type: str, body: bytes) -> bytes:
    """`body` with people's words emptied; without anything where it cannot be read."""
    event_class = REGISTER.get(event_type)
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return b""
    if event_class is None or not isinstance(values, dict):
        return b""
    emptied = {name: type(values[name])() for name in event_class.shred if values.get(name)}
    return json.dumps(values | emptied, ensure_ascii=False).encode()
