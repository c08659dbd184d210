"""How a consumer is, for readiness and for who watches."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

STUCK_AFTER = 10.0
"""Seconds a consumer may fail before readiness says so."""


@dataclass
class ConsumerHealth:
    """What the outside may know of a consumer."""

    assigned: bool = False
    failing_since: float | None = None
    error: str | None = None
    stopped: bool = False
    lag: int = 0
    processed: int = 0
    polled_at: float = field(default_factory=time.monotonic)

    def reasons(self) -> list[str]:
        """Why it is not ready; empty when it is."""
        now = time.monotonic()
        failing = self.failing_since is not None and now - self.failing_since > STUCK_AFTER
        if self.stopped or failing:
            return [f"consumer: {self.error}"]
        if now - self.polled_at > 2 * STUCK_AFTER:
            return ["consumer: stands still"]
        if self.assigned:
            return []
        return ["consumer: has not joined its group" + (f" ({self.error})" if self.error else "")]
