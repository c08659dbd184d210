"""One clock of one case in one cycle: a frozen value and what may happen to it.

A timer carries the moments of its marks with it, worked out whenever its deadline moves. So
the question "what is due now?" needs neither calendar nor policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from services.sla.domain.policy import Row
from services.sla.domain.working_time import ZERO, WorkingTime, as_far_as_counted
from shared.contracts.sla import PromiseStatus
from shared.contracts.vocabulary import Clock, Role

BREACH = 100


class MarkKind(StrEnum):
    """What passing a level means. A follow-up is a wait, not a promise: it elapses."""

    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"
    ELAPSED = "elapsed"


class Ladder(NamedTuple):
    """Who hears of a clock at which percentages of its time: whoever works on it is warned, and
    these roles above are told."""

    warn: tuple[int, ...] = ()
    escalate: tuple[tuple[int, Role], ...] = ()


NO_LADDER = Ladder()


def ladder_of(row: Row) -> Ladder:
    """What a row of the policy says about it."""
    return Ladder(row.warned_at, tuple((e.at, e.to) for e in row.escalate))


@dataclass(frozen=True, slots=True)
class Step:
    """A level (percent of the time allowed), when it is reached, and who is warned besides."""

    level: int
    at: datetime
    to: Role | None = None
    warns: bool = True
    """Before the end: whether who works on it is warned, not only somebody above."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A level that was reached; `at` is the moment it was, not the moment it was noticed."""

    clock: Clock
    cycle: int
    level: int
    at: datetime
    kind: MarkKind
    to: Role | None = None


class Pause(NamedTuple):
    """It stood still from `start` to `end`, and working time passed meanwhile."""

    start: datetime
    end: datetime
    amount: timedelta


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
    progress: bool = False
    """A progress note is owed, as often as the row says, not an answer."""
    paused_at: datetime | None = None
    paused: timedelta = ZERO
    pauses: tuple[Pause, ...] = ()
    """Each time it stood still; what `paused` has besides is from before they were noted."""
    extended: timedelta = ZERO
    named_due: datetime | None = None
    """A date that somebody named: it stands, whatever becomes of the calendar."""
    breached_at: datetime | None = None
    met_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason: str = ""
    """Why the deadline is what it is, where a date was announced before."""

    @property
    def is_open(self) -> bool:
        """Running or paused, in time or not."""
        return self.met_at is None and self.cancelled_at is None

    @property
    def status(self) -> PromiseStatus:
        """What people see. Nothing that comes later hides a breach."""
        if self.breached_at is not None:
            return PromiseStatus.BREACHED
        if self.met_at is not None:
            return PromiseStatus.MET
        if self.cancelled_at is not None:
            return PromiseStatus.CANCELLED
        return PromiseStatus.RUNNING if self.paused_at is None else PromiseStatus.PAUSED

    @property
    def in_time(self) -> bool | None:
        """Of what was met: whether before it was breached; else None.

        What happened before the deadline and was read after the mark was still in time."""
        if self.met_at is None:
            return None
        return self.breached_at is None or self.met_at < self.breached_at


def start(
    clock: Clock,
    *,
    at: datetime,
    budget: timedelta,
    working: WorkingTime,
    calendar: str,
    department: str = "",
    ladder: Ladder = NO_LADDER,
    cycle: int = 1,
    first_due: datetime | None = None,
    reopened: bool = False,
    progress: bool = False,
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
        steps=_steps(clock, due, budget, working, ladder),
        reopened=reopened,
        progress=progress,
    )


def _steps(
    clock: Clock,
    due: datetime,
    allowed: timedelta,
    working: WorkingTime,
    ladder: Ladder,
) -> tuple[Step, ...]:
    """When each level is reached, counted from the deadline both ways."""
    levels: dict[int, Role | None] = {BREACH: None}
    if clock is not Clock.FOLLOW_UP:
        levels = dict.fromkeys(ladder.warn) | levels | dict(ladder.escalate)
    steps = []
    for level, to in sorted(levels.items()):
        at = due
        if level < BREACH:
            at = working.subtract_working(due, allowed * (BREACH - level) / 100)
        elif level > BREACH:
            at = working.add_working(due, allowed * (level - BREACH) / 100)
        steps.append(Step(level, at, to, level >= BREACH or level in ladder.warn))
    return tuple(steps)


def _same_ladder(timer: Timer) -> Ladder:
    return Ladder(
        tuple(s.level for s in timer.steps if s.level < BREACH and s.warns),
        tuple((s.level, s.to) for s in timer.steps if s.to is not None),
    )


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
        Mark(timer.clock, timer.cycle, s.level, s.at, _kind(timer.clock, s), s.to)
        for s in timer.steps
        if s.at <= now and s.level not in timer.marked
    ]


def _kind(clock: Clock, step: Step) -> MarkKind:
    if clock is Clock.FOLLOW_UP:
        return MarkKind.ELAPSED
    if step.level == BREACH:
        return MarkKind.BREACHED
    warned = step.level < BREACH and step.warns
    return MarkKind.WARNED if warned else MarkKind.ESCALATED


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
    pause = Pause(timer.paused_at, at, max(ZERO, working.working_between(timer.paused_at, at)))
    if not pause.amount:
        return replace(timer, paused_at=None)
    named = timer.named_due
    if named is not None:
        working = as_far_as_counted(working)
        named = working.add_working(named, pause.amount)
    pauses = (*timer.pauses, pause)
    counted = _counted(timer, working, _same_ladder(timer), named_due=named, pauses=pauses)
    return replace(timer, paused_at=None, **counted)


def extend(timer: Timer, until: datetime, working: WorkingTime) -> Timer:
    """A later deadline, exactly as the reporter reads it. It erases no breach."""
    if not timer.is_open or until <= timer.due:
        return timer
    working = as_far_as_counted(working)
    return replace(timer, **_counted(timer, working, _same_ladder(timer), named_due=until))


def recount(
    timer: Timer,
    *,
    budget: timedelta,
    working: WorkingTime,
    calendar: str,
    department: str,
    ladder: Ladder,
    first: bool = False,
    keep_named: bool = False,
) -> Timer:
    """Count anew from its own start (another priority, another calendar).

    With `first`, nothing was announced yet and the new date is the first one. With `keep_named`
    a date that somebody named stands; otherwise the time it added does."""
    if timer.named_due is not None or timer.extended:
        working = as_far_as_counted(working)
    counted = _counted(
        replace(timer, budget=budget) if budget != timer.budget else timer,
        working,
        ladder,
        named_due=timer.named_due if keep_named else None,
    )
    if first:
        counted["first_due"] = counted["due"]
    return replace(timer, budget=budget, calendar=calendar, department=department, **counted)


def _counted(
    timer: Timer,
    working: WorkingTime,
    ladder: Ladder,
    *,
    named_due: datetime | None,
    pauses: tuple[Pause, ...] | None = None,
) -> dict[str, Any]:
    """The deadline that follows from a timer, and all that follows from it: the one way to
    another date. `pauses`: those it has by now."""
    pauses = timer.pauses if pauses is None else pauses
    paused = timer.paused
    if pauses:
        unnoted = paused - _total(timer.pauses)
        pauses = tuple(
            p._replace(amount=max(ZERO, working.working_between(p.start, p.end))) for p in pauses
        )
        paused = unnoted + _total(pauses)
    if named_due is None:
        extended = timer.extended if timer.extended > ZERO else ZERO
        due = working.add_working(timer.started_at, timer.budget + extended + paused)
    else:
        due = named_due
        extended = working.working_between(timer.started_at, due) - paused - timer.budget
    return {
        "due": due,
        "named_due": named_due,
        "extended": extended,
        "paused": paused,
        "pauses": pauses,
        "steps": _steps(timer.clock, due, max(ZERO, timer.budget + extended), working, ladder),
    }


def _total(pauses: Iterable[Pause]) -> timedelta:
    return sum((p.amount for p in pauses), ZERO)


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
