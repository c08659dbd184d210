"""The clocks of one case as a value, and what is told when they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.sla.domain.book import LIBRARY, Calendars
from services.sla.domain.clocks import Mark, Timer
from services.sla.domain.policy import Policy
from shared.contracts.vocabulary import CaseType, Clock, Priority


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy a case is pinned to, and the calendars as they are now."""

    policy: Policy
    calendars: Calendars


class FactKind(StrEnum):
    PROMISED = "promised"
    MET = "met"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to tell; `timer` is the clock after it happened."""

    kind: FactKind
    timer: Timer
    mark: Mark | None = None
    reason: str = ""
    worked: timedelta | None = None

    @property
    def in_time(self) -> bool:
        """Whether a clock that was met was met before it was breached.

        What happened before the deadline and was heard of after the mark was still in time."""
        breached, met = self.timer.breached_at, self.timer.met_at
        return breached is None or (met is not None and met < breached)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClocks:
    """The clocks of a case in every cycle, ended ones too: a figure once reached stays."""

    received_at: datetime
    policy_version: int
    priority: Priority = Priority.P3
    type: CaseType = CaseType.OTHER
    proposal: bool = False
    department: str = LIBRARY
    told: bool = False
    timers: tuple[Timer, ...] = ()

    def current(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock."""
        return latest(self.timers, clock)

    def running(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock, if it has not ended."""
        timer = self.current(clock)
        return timer if timer is not None and timer.is_open else None


@dataclass(frozen=True, slots=True)
class Change:
    """What a case's clocks are now, and what is to be told about it."""

    case: CaseClocks
    facts: tuple[Fact, ...] = ()


def latest(timers: Iterable[Timer], clock: Clock) -> Timer | None:
    """The latest cycle of a clock among these."""
    found = None
    for timer in timers:
        if timer.clock is clock and (found is None or timer.cycle > found.cycle):
            found = timer
    return found


def in_order(timers: Iterable[Timer]) -> list[Timer]:
    """By clock, as the clocks are listed, and cycle."""
    return sorted(timers, key=_place)


_PLACES = {clock: place for place, clock in enumerate(Clock)}


def _place(timer: Timer) -> tuple[int, int]:
    return _PLACES[timer.clock], timer.cycle
