"""Facts told by sla: promises, and what became of them."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.event import Event
from shared.contracts.vocabulary import Clock, Priority


class ClockFact(Event):
    """A fact about one clock of one case in one cycle."""

    clock: Clock
    cycle: int = 1
    due: datetime
    first_due: datetime
    department: str | None = None


class SlaPromised(ClockFact, type="sla.promised.v1", owner="sla"):
    """A clock runs, or its deadline moved; `reason` says why it moved."""

    started: datetime
    priority: Priority
    policy_version: int = 1
    reason: str | None = None


class SlaWarned(ClockFact, type="sla.warned.v1", owner="sla"):
    """`level` percent of the time is used up."""

    level: int


class SlaBreached(ClockFact, type="sla.breached.v1", owner="sla"):
    """The deadline passed. Nothing later undoes this fact."""


class EscalationRaised(ClockFact, type="escalation.raised.v1", owner="sla"):
    """Somebody higher up should know; `to_role` is ``reviewer`` or ``leader``."""

    level: int
    to_role: str


class SlaMet(ClockFact, type="sla.met.v1", owner="sla"):
    """The promise was kept (`in_time`), or what was promised came late."""

    in_time: bool
    working_seconds: int
    """Working time from start to end without pauses."""


class SlaPaused(ClockFact, type="sla.paused.v1", owner="sla"):
    """The clock stands still while the reporter is asked."""


class SlaResumed(ClockFact, type="sla.resumed.v1", owner="sla"):
    """The clock runs again; `due` has moved by the paused working time."""


class SlaCancelled(ClockFact, type="sla.cancelled.v1", owner="sla"):
    """The promise no longer applies."""
