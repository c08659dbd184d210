"""Transports that are away or refuse us: noted when it happens, shown to the operator."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import structlog

from services.notification import domain
from services.notification.domain import Outage
from services.notification.ledger.outcomes import Outcome
from services.notification.transports import Interrupted, TransportUnavailable, UnknownOutcome
from shared.observability.metrics import TRANSPORT_UNAVAILABLE

log = structlog.get_logger()

PER_TRANSPORT = 24


def capacity(outages: dict[str, Outage], transport: str, now: datetime) -> int:
    """How many may be under way at once: of one that was away, first a single one."""
    outage = outages.get(transport)
    if outage is None:
        return PER_TRANSPORT
    return 0 if now < outage.until else 1


def full(outages: dict[str, Outage], under_way: Counter[str], now: datetime) -> list[str]:
    """The transports that take no more now."""
    names = {*under_way, *outages}
    return [name for name in names if under_way[name] >= capacity(outages, name, now)]


def note(outages: dict[str, Outage], transport: str, outcome: Outcome, now: datetime) -> None:
    """An outage begins, goes on, or is over."""
    outage = outages.get(transport)
    if isinstance(outcome, TransportUnavailable):
        outages[transport] = domain.prolong(outage, outcome.reason, after=outcome.after, now=now)
        TRANSPORT_UNAVAILABLE.labels(transport).set(1)
        if outage is None:
            log.warning("transport unavailable", transport=transport, reason=outcome.reason)
    elif outage is not None and not isinstance(outcome, Interrupted | UnknownOutcome):
        # It speaks to us again, whatever it said about this receiver.
        del outages[transport]
        TRANSPORT_UNAVAILABLE.labels(transport).set(0)
        log.warning("transport available again", transport=transport)
