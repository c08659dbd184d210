"""Who plays in the stories, and envelopes for what they do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts import EVENTS, Actor, Event
from shared.messaging.envelope import Record, headers_for
from shared.moments import LOCAL

Story = Iterator[tuple[str, dict[str, str], Event]]

OFFICE = Actor(kind="staff", name="coordinator", display="周雨桐", role="coordinator")
LIAISON = Actor(
    kind="staff",
    name="liaison.facilities",
    display="何建国",
    role="liaison",
    department="facilities",
)
HANDLER = Actor(
    kind="staff",
    name="handler.eresources",
    display="林若溪",
    role="handler",
    department="eresources",
)


def at(words: str) -> datetime:
    """A moment in Shanghai as aware UTC."""
    return datetime.fromisoformat(words).replace(tzinfo=LOCAL).astimezone(UTC)


class Case:
    """Puts events of one case into envelopes, each caused by the one before it."""

    def __init__(self, number: int, received: str) -> None:
        self.id = f"01978a3e-{number:04x}-7000-8000-00000000{number:04x}"
        self.received = at(received)
        self.code_hash = hashlib.sha256(self.id.encode()).hexdigest()
        self._number, self._events, self._sequences = number, 0, dict[str, int]()
        self._cause: Record | None = None

    def after(self, **time: float) -> dict[str, Any]:
        """``feedback_id`` and ``at`` of an event so long after receipt."""
        return {"feedback_id": self.id, "at": self.received + timedelta(**time)}

    def __call__(self, name: str, event: Event) -> tuple[str, dict[str, str], Event]:
        """The next event of the case, as the example `name` of its type."""
        self._events += 1
        sequence = None
        if event.topic == EVENTS:
            sequence = self._sequences[event.owner] = self._sequences.get(event.owner, 0) + 1
        headers = headers_for(
            event,
            ce_id=f"01978a3e-{self._number:04x}-7000-9000-{self._events:012x}",
            source=event.owner,
            sequence=sequence,
            cause=self._cause,
        )
        self._cause = Record(event.topic, 0, 0, None, headers, None)
        return name, headers, event
