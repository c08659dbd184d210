"""The clock of the demonstration: set while the months are played, ordinary afterwards."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class DemoClock:
    """Stands where it is set; once it `runs`, it goes at the pace of the machine from there."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._since: float | None = None

    def now(self) -> datetime:
        """The moment in the invented months, as aware UTC."""
        if self._since is None:
            return self._now
        return self._now + timedelta(seconds=time.monotonic() - self._since)

    def set(self, now: datetime) -> None:
        """Move on to `now`; a moment that is past changes nothing."""
        self._now = max(self._now, now.astimezone(UTC))

    def step(self, seconds: float) -> None:
        """Move on a little."""
        self._now += timedelta(seconds=seconds)

    def run(self) -> None:
        """Go on by itself."""
        self._since = time.monotonic()
