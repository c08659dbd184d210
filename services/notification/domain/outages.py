"""A transport that is away, or refuses us: all wait, and one delivery at a time finds out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notification.domain.timing import LONGEST_OUTAGE_WAIT, wait_after


@dataclass(frozen=True)
class Outage:
    """Since when a transport is unavailable, why, and when it is tried again."""

    since: datetime
    until: datetime
    reason: str
    probes: int = 1


def prolong(
    outage: Outage | None, reason: str, *, after: timedelta | None, now: datetime
) -> Outage:
    """The outage after one more refusal; `after` is what the other side asks for."""
    if outage is not None and now < outage.until:
        # Sent before the pause began: it says nothing new.
        return outage
    probes = outage.probes + 1 if outage else 1
    wait = max(wait_after(probes, LONGEST_OUTAGE_WAIT), after or timedelta())
    return Outage(outage.since if outage else now, now + wait, reason, probes)
