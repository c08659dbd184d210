"""One clock of one case in one cycle: a frozen value and what may happen to it.

A timer carries the moments of its marks with it, worked out whenever its deadline moves. So
the question "what is due now?" needs neither calendar nor policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.sla.domain.calendar import ZERO, WorkingTime
from services.sla.domain.policy import Escalation
from shared.contracts.vocabulary import Clock, Role

BREACH = 100


class MarkKind(StrEnum):
    """What passing a level means. A follow-up is a wait, not a promise: it elapses."""

    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"
    ELAPSED = "elapsed"


class Status(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Step:
    """A level (percent of the time allowed), when it is reached, and who is told besides."""

    level: int
    at: datetime
    to: Role | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A level that was reached; `at` is the moment it was, not the moment it was noticed."""

    clock: Clock
    cycle: int
    level: int
    at: datetime
    kind: MarkKind
    to: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """`budget` is the working time promised, without what was `extended` and `paused`."""

    clock: Clock
    cycle: int
    calendar: str
    department: str
    started_at: datetime
    budget: timedelta
    due: datetime
    first_due: datetime
    steps: tuple[Step, ...]
    marked: frozenset[int] = frozenset()
    reopened: bool = False
    paused_at: datetime | None = None
    paused: timedelta = ZERO
    extended: timedelta = ZERO
    breached_at: datetime | None = None
    met_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Running or paused, in time or not."""
        return self.met_at is None and self.cancelled_at is None

    @property
    def status(self) -> Status:
        """What people see. Nothing that comes later hides a breach."""
        if self.breached_at is not None:
            return Status.BREACHED
        if self.met_at is not None:
            return Status.MET
        if self.cancelled_at is not None:
            return Status.CANCELLED
        return Status.RUNNING if self.paused_at is None else Status.PAUSED


def start(
    clock: Clock,
    *,
    at: datetime,
    budget: timedelta,
    working: WorkingTime,
    calendar: str,
    department: str = "",
    escalate: Iterable[Escalation] = (),
    cycle: int = 1,
    first_due: datetime | None = None,
    reopened: bool = False,
) -> Timer:
    """A new timer. Outside hours it begins to run at the next opening."""
    due = working.add_working(at, budget)
    return Timer(
        clock=clock,
        cycle=cycle,
        calendar=calendar,
        department=department,
        started_at=at,
        budget=budget,
        due=due,
        first_due=first_due or due,
        steps=_steps(clock, due, budget, working, escalate),
        reopened=reopened,
    )


def _steps(
    clock: Clock,
    due: datetime,
    allowed: timedelta,
    working: WorkingTime,
    escalate: Iterable[Escalation],
) -> tuple[Step, ...]:
    """When each level is reached, counted from the deadline both ways."""
    levels: dict[int, Role | None] = {BREACH: None}
    if clock is not Clock.FOLLOW_UP:
        levels |= {e.at: e.to for e in escalate}
    steps = []
    for level, to in sorted(levels.items()):
        at = due
        if level < BREACH:
            at = working.subtract_working(due, allowed * (BREACH - level) / 100)
        elif level > BREACH:
            at = working.add_working(due, allowed * (level - BREACH) / 100)
        steps.append(Step(level, at, to))
    return tuple(steps)


def _same_escalation(timer: Timer) -> list[Escalation]:
    return [Escalation(at=s.level, to=s.to) for s in timer.steps if s.to is not None]


def next_check(timer: Timer) -> datetime | None:
    """When this timer must be looked at again; None when nothing more can happen to it.

    A paused timer only has what was reached before the pause and not yet marked."""
    if not timer.is_open:
        return None
    at = min((s.at for s in timer.steps if s.level not in timer.marked), default=None)
    if at is not None and timer.paused_at is not None and at > timer.paused_at:
        return None
    return at


def marks_due(timer: Timer, now: datetime) -> list[Mark]:
    """The levels reached by `now` and never marked before, in order."""
    if not timer.is_open:
        return []
    if timer.paused_at is not None:
        now = min(now, timer.paused_at)
    return [
        Mark(timer.clock, timer.cycle, s.level, s.at, _kind(timer.clock, s.level), s.to)
        for s in timer.steps
        if s.at <= now and s.level not in timer.marked
    ]


def _kind(clock: Clock, level: int) -> MarkKind:
    if clock is Clock.FOLLOW_UP:
        return MarkKind.ELAPSED
    if level == BREACH:
        return MarkKind.BREACHED
    return MarkKind.WARNED if level < BREACH else MarkKind.ESCALATED


def record(timer: Timer, marks: Iterable[Mark]) -> Timer:
    """The timer that remembers these marks; each level only once."""
    for mark in marks:
        timer = replace(timer, marked=timer.marked | {mark.level})
        if mark.kind is MarkKind.BREACHED and timer.breached_at is None:
            timer = replace(timer, breached_at=mark.at)
        elif mark.kind is MarkKind.ELAPSED:
            timer = replace(timer, met_at=mark.at)
    return timer


def overdue_mark(timer: Timer, at: datetime) -> list[Mark]:
    """The breach that nobody has marked yet when something ends the clock late.

    To finish at the deadline itself is in time, unless the mark was quicker."""
    if timer.clock is Clock.FOLLOW_UP or at <= timer.due:
        return []
    return [m for m in marks_due(timer, at) if m.level == BREACH]


def pause(timer: Timer, at: datetime) -> Timer:
    """Stand still. Pausing twice is pausing once."""
    if not timer.is_open or timer.paused_at is not None:
        return timer
    return replace(timer, paused_at=at)


def resume(timer: Timer, at: datetime, working: WorkingTime) -> Timer:
    """Run again; the deadline moves by the working time that passed meanwhile."""
    if not timer.is_open or timer.paused_at is None:
        return timer
    stood = max(ZERO, working.working_between(timer.paused_at, at))
    if not stood:
        return replace(timer, paused_at=None)
    due = working.add_working(timer.due, stood)
    allowed = timer.budget + timer.extended
    steps = _steps(timer.clock, due, allowed, working, _same_escalation(timer))
    return replace(timer, paused_at=None, paused=timer.paused + stood, due=due, steps=steps)


def extend(timer: Timer, until: datetime, working: WorkingTime) -> Timer:
    """A later deadline, exactly as the reporter is told it. It erases no breach."""
    if not timer.is_open or until <= timer.due:
        return timer
    extended = timer.extended + working.working_between(timer.due, until)
    allowed = timer.budget + extended
    steps = _steps(timer.clock, until, allowed, working, _same_escalation(timer))
    return replace(timer, extended=extended, due=until, steps=steps)


def recount(
    timer: Timer,
    *,
    budget: timedelta,
    working: WorkingTime,
    calendar: str,
    department: str,
    escalate: Iterable[Escalation],
    first: bool = False,
) -> Timer:
    """Count anew from its own start (another priority, another calendar).

    With `first`, nobody had been told yet and the new date is the first one."""
    allowed = budget + timer.extended
    due = working.add_working(timer.started_at, allowed + timer.paused)
    return replace(
        timer,
        budget=budget,
        calendar=calendar,
        department=department,
        due=due,
        first_due=due if first else timer.first_due,
        steps=_steps(timer.clock, due, allowed, working, escalate),
    )


def meet(timer: Timer, at: datetime) -> Timer:
    """What was promised has happened."""
    return replace(timer, met_at=at) if timer.is_open else timer


def cancel(timer: Timer, at: datetime) -> Timer:
    """The promise no longer applies."""
    return replace(timer, cancelled_at=at) if timer.is_open else timer


def worked(timer: Timer, at: datetime, working: WorkingTime) -> timedelta:
    """Working time from the start to `at`, without the pauses: what measures count."""
    end = min(at, timer.paused_at) if timer.paused_at is not None else at
    return max(ZERO, working.working_between(timer.started_at, end) - timer.paused)
