"""When something beside the way fails: stand back for a while instead of waiting for it again."""

from __future__ import annotations

import time
from collections.abc import Callable


class CircuitBreaker:
    """Open after `failures` in a row, for `first` seconds doubling to `longest`.

    When the time is over one attempt is let through; it closes the circuit, or opens it again.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        first: float = 2.0,
        longest: float = 60.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._first, self._longest, self._now = failures, first, longest, now
        self._failed = 0
        self._pause = first
        self._open_until: float | None = None

    @property
    def closed(self) -> bool:
        """Whether it may be tried; while an attempt after a pause is under way, by nobody else."""
        return self._open_until is None or self._now() >= self._open_until

    def attempt(self) -> bool:
        """Begin an attempt; False where it is better not made."""
        if not self.closed:
            return False
        if self._open_until is not None:
            self._open_until = self._now() + self._pause
        return True

    def succeeded(self) -> None:
        """It works."""
        self._failed, self._pause, self._open_until = 0, self._first, None

    def failed(self) -> None:
        """It did not answer, or not in time."""
        self._failed += 1
        if self._failed >= self._most:
            if self._open_until is not None:
                self._pause = min(self._pause * 2, self._longest)
            self._open_until = self._now() + self._pause
