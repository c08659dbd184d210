"""What every fact has in common, and the register of all fact types."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

EVENTS = "feedback.events"
PRIVATE = "feedback.private"
DIRECTORY = "feedback.directory"
INBOUND = "feedback.inbound"
INBOUND_REJECTED = "feedback.inbound.rejected"

REGISTER: dict[str, type[Event]] = {}
"""Fact type (``case.replied.v1``) → class. Filled as the classes are defined."""


class Actor(BaseModel):
    """Who did it. ``name`` is a staff account, never a reporter's name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = "system"
    """``reporter``, ``staff`` or ``system``."""
    name: str | None = None
    display: str | None = None
    role: str | None = None
    department: str | None = None


SYSTEM = Actor()
REPORTER = Actor(kind="reporter")


class Event(BaseModel):
    """A past-tense fact. Readers ignore fields they do not know.

    A subclass names its ``type`` and the one service that may say it::

        class CaseReplied(Event, type="case.replied.v1", owner="desk"):
            text: str
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    owner: ClassVar[str]
    topic: ClassVar[str]

    feedback_id: str
    at: datetime
    """When it happened, aware UTC; travels as ``ce_time`` too."""
    by: Actor = SYSTEM

    def __init_subclass__(
        cls, *, type: str = "", owner: str = "", topic: str = EVENTS, **kwargs: object
    ) -> None:
        """Take the class's address on the log; a class without a type is abstract."""
        super().__init_subclass__(**kwargs)  # type: ignore[arg-type]
        if type:
            cls.type, cls.owner, cls.topic = type, owner, topic

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Enter the class in the register under its type."""
        fact_type = getattr(cls, "type", None)
        if fact_type is not None and REGISTER.setdefault(fact_type, cls) is not cls:
            raise TypeError(f"two classes for the fact type {fact_type}")

    @property
    def key(self) -> str:
        """The Kafka key: facts of one key keep their order."""
        return self.feedback_id

    @property
    def tombstone(self) -> bool:
        """True where the body on the (compacted) topic is to be empty."""
        return False


class DirectoryFact(Event):
    """A fact about the house, not about a case; `feedback_id` is empty."""

    feedback_id: str = ""


def short_type(fact_type: str) -> str:
    """``case.replied.v1`` → ``case.replied``, the name a timeline shows."""
    head, _, version = fact_type.rpartition(".")
    return head if version[:1] == "v" and version[1:].isdigit() else fact_type
