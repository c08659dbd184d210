"""The one source of the present moment. Nothing else in the system asks the system for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time, as aware UTC."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that only moves when it is moved; for tests."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("an aware datetime, please")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to `now`."""
        self._now = now.astimezone(UTC)

    def later(self, **delta: float) -> datetime:
        """Move on by ``timedelta(**delta)`` and say the new moment."""
        self._now += timedelta(**delta)
        return self._now
