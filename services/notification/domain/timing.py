"""When a delivery goes out, when it goes out again, and when it is too late for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from services.notification.domain.cases import Case, settled
from shared.contracts.notification import WORDS
from shared.contracts.sla import QuietHoursSet
from shared.moments import LOCAL, here

RECEIPTS_A_DAY = 3
"""To one address: nobody has confirmed it, and a receipt must be no way to pester a stranger."""
STALE = timedelta(hours=24)
"""A receipt or an alert about something older than this would only confuse."""
STALE_LINK = timedelta(hours=1)
"""Nobody waits that long for the link, or the word, they asked for; it would soon be no good."""
STALE_DELAY = timedelta(days=7)
STALE_REPORT = timedelta(days=7)
"""By then the next one is there, or nearly."""
TRY_FOR = timedelta(days=5)
"""How long a receiver is tried (RFC 5321, 4.5.4.1: four to five days at least)."""
FIRST_WAIT, GROWTH, LONGEST_WAIT = timedelta(seconds=2), 3, timedelta(hours=2)
"""Somebody waits for it: the first repeats come within seconds, later ones grow rare."""
LONGEST_OUTAGE_WAIT = timedelta(minutes=5)
"""While a transport is away it is tried at least this often, so that all goes out once mended."""
HOLD = timedelta(seconds=10)
"""How long a receipt waits for the promise it is to carry."""
SETTLE = timedelta(seconds=1)
"""How long it still waits once both routing and the promise are known: routing may move it."""
CONTACT_WITHIN = timedelta(hours=24)
"""A contact that was announced and has not come by then will not come."""


@dataclass(frozen=True, slots=True)
class Night:
    """Hours of every day, local time, over midnight where they end earlier; none if equal."""

    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is told that work is late: at night nobody can do anything about it."""

    ordinary: Night = Night(time(21), time(7, 30))
    urgent: Night | None = None
    """Of what is urgent (P1); None: it is told at any hour."""


SHIPPED = QuietHours()
"""In force until other promises are published."""
BY_DAY = frozenset({"delay", "warning", "breach", "escalation", "report"})

WITH_PROMISE = frozenset({"receipt", "reopened", "restored", "parted"})
"""Kinds that say by when there will be an answer, and wait a moment to know it."""
_ABOUT_OPEN_WORK = frozenset({"delay", "warning", "breach", "escalation", "breach_reason"})
OF_A_DATE = frozenset({"delay", "merged", "breach_reason"})
"""Kinds that may be about the date of another case, which theirs was joined to."""
_STALE = {"delay": STALE_DELAY, "report": STALE_REPORT}


def quiet_hours(published: QuietHoursSet | None) -> QuietHours:
    """Those in force."""
    if published is None:
        return SHIPPED
    urgent = None
    if published.p1_starts is not None and published.p1_ends is not None:
        urgent = _night(published.p1_starts, published.p1_ends)
    return QuietHours(_night(published.starts, published.ends), urgent)


def _night(starts: str, ends: str) -> Night:
    return Night(time.fromisoformat(starts), time.fromisoformat(ends))


def says_by_when(kind: str, params: Mapping[str, Any]) -> bool:
    """Whether a message says by when there will be an answer: of appeals, where it was upheld."""
    return kind in WITH_PROMISE or bool(params.get("upheld"))


def send_after(
    kind: str,
    case: Case,
    planned_at: datetime,
    now: datetime,
    quiet: QuietHours = SHIPPED,
    *,
    params: Mapping[str, Any] | None = None,
) -> datetime:
    """When a delivery may go out."""
    if kind in BY_DAY:
        night = quiet.urgent if case.urgent else quiet.ordinary
        return now if night is None else _by_day(now, night)
    if not says_by_when(kind, params or {}):
        return now
    latest = planned_at + HOLD
    return max(now, min(latest, now + SETTLE)) if settled(case) else max(now, latest)


def _by_day(at: datetime, night: Night) -> datetime:
    """`at`, or the end of the night it falls in."""
    local = here(at)
    over_midnight = night.starts > night.ends
    late = local.time() >= night.starts
    early = local.time() < night.ends
    if not ((late or early) if over_midnight else (late and early)):
        return at
    day = local.date() + timedelta(days=over_midnight and late)
    return datetime.combine(day, night.ends, LOCAL).astimezone(at.tzinfo)


def is_stale(kind: str, happened_at: datetime, now: datetime) -> bool:
    """True for what would only confuse by now. People's own words always go out."""
    if kind in WORDS:
        return False
    if kind in ("matters", "status"):
        return now - happened_at > STALE_LINK
    return now - happened_at > _STALE.get(kind, STALE)


def is_moot(kind: str, case: Case) -> bool:
    """True for a word about late work when the work is done."""
    return kind in _ABOUT_OPEN_WORK and (case.answered or case.ended)


def wait_after(attempts: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """The pause after so many attempts in a row; grows threefold, up to `longest`."""
    factor: int = GROWTH ** min(max(0, attempts - 1), 20)
    return min(FIRST_WAIT * factor, longest)


def next_try(
    *, attempts: int, first_tried_at: datetime, after: timedelta | None, now: datetime
) -> datetime | None:
    """When to try again after `attempts` tries; None when it has been tried for long enough."""
    at = now + max(wait_after(attempts), after or timedelta())
    return None if at > first_tried_at + TRY_FOR else at
