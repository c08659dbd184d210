"""The clocks of one case as a value, and what a change of them is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sla.domain.calendars import LIBRARY, Calendars
from services.sla.domain.clocks import Mark, Timer
from services.sla.domain.policy import OF_THE_LIBRARY, Policy, Subject
from services.sla.domain.segments import Segment
from shared.contracts.sla import ClockChange
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy a case is pinned to, and the calendars as they are now."""

    policy: Policy
    calendars: Calendars
    cause: str = ""
    """Type of the event that is being taken in, without its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClocks:
    """The clocks of a case in every cycle, ended ones too: a figure once reached stays."""

    received_at: datetime
    policy_version: int
    priority: Priority = Priority.P3
    type: CaseType = CaseType.OTHER
    proposal: bool = False
    category: str = ""
    channel: Channel = Channel.OTHER
    group: str = ""
    """Of whom the reporter is one, such as students; empty where nobody said so."""
    department: str = LIBRARY
    announced: bool = False
    timers: tuple[Timer, ...] = ()
    segments: tuple[Segment, ...] = ()
    """Whose hands it is in, and was; in the order in which they began."""

    def current(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock."""
        return latest(self.timers, clock)

    def running(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock, if it has not ended."""
        timer = self.current(clock)
        return timer if timer is not None and timer.is_open else None

    def subject(self, department: str | None = None) -> Subject:
        """What the row of the policy depends on; in the hands of this department, if named."""
        return Subject(
            self.priority,
            self.type,
            self.department if department is None else department,
            self.category,
            self.channel,
            self.group,
            self.proposal,
        )

    def responsible_for(self, clock: Clock) -> str | None:
        """The department that has to keep a promise; None where it is the office."""
        return None if clock in OF_THE_LIBRARY else self.department or None


@dataclass(frozen=True, slots=True)
class Reached:
    """A level that was reached, by a clock as it stood then."""

    mark: Mark
    timer: Timer
    department: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """A case left a department's hands."""

    segment: Segment
    worked: timedelta


@dataclass(frozen=True, slots=True)
class Update:
    """What a case's clocks are now; first the levels they had reached, then what changed."""

    case: CaseClocks
    reached: tuple[Reached, ...] = ()
    changes: tuple[ClockChange, ...] = ()
    left: tuple[Left, ...] = ()


def latest(timers: Iterable[Timer], clock: Clock) -> Timer | None:
    """The latest cycle of a clock among these."""
    found = None
    for timer in timers:
        if timer.clock is clock and (found is None or timer.cycle > found.cycle):
            found = timer
    return found


def in_order(timers: Iterable[Timer]) -> list[Timer]:
    """By clock, as the clocks are listed, and cycle."""
    return sorted(timers, key=_sort_key)


_INDEX = {clock: index for index, clock in enumerate(Clock)}


def _sort_key(timer: Timer) -> tuple[int, int]:
    return _INDEX[timer.clock], timer.cycle
