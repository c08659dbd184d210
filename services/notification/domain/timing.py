"""When a delivery goes out, when it goes out again, and when it is too late for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.notification.domain.cases import Case, settled

RECEIPTS_A_DAY = 3
"""To one address: nobody has confirmed it, and a receipt must be no way to pester a stranger."""
STALE = timedelta(hours=24)
"""A receipt or an alert about something older than this would only confuse."""
STALE_DELAY = timedelta(days=7)
TRIES = 8
TRY_FOR = timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
HOLD = timedelta(seconds=10)
"""How long a receipt waits for the promise it is to carry."""
SETTLE = timedelta(seconds=1)
"""How long it still waits once both routing and the promise are known: routing may move it."""
CONTACT_WITHIN = timedelta(hours=24)
"""A contact that was announced and has not come by then will not come."""

WITH_PROMISE = frozenset({"receipt", "reopened"})
"""Kinds that say by when there will be an answer, and wait a moment to know it."""
_ABOUT_OPEN_WORK = frozenset({"delay", "warning", "breach", "escalation"})
_NEVER_STALE = frozenset({"reply", "question", "rejected"})


def send_after(kind: str, case: Case, planned_at: datetime, now: datetime) -> datetime:
    """When a delivery may go out."""
    if kind not in WITH_PROMISE:
        return now
    latest = planned_at + HOLD
    return max(now, min(latest, now + SETTLE)) if settled(case) else max(now, latest)


def is_stale(kind: str, happened_at: datetime, now: datetime) -> bool:
    """True for what would only confuse by now. People's own words always go out."""
    if kind in _NEVER_STALE:
        return False
    return now - happened_at > (STALE_DELAY if kind == "delay" else STALE)


def is_moot(kind: str, case: Case) -> bool:
    """True for a word about late work when the work is done."""
    return kind in _ABOUT_OPEN_WORK and (case.answered or case.ended)


def next_try(
    *, attempts: int, first_tried_at: datetime, after: timedelta | None, now: datetime
) -> datetime | None:
    """When to try again after `attempts` tries; None when it is enough."""
    wait = min(FIRST_WAIT * 2 ** max(0, attempts - 1), LONGEST_WAIT)
    at = now + max(wait, after or timedelta())
    over = attempts >= TRIES or at > first_tried_at + TRY_FOR
    return None if over else at
