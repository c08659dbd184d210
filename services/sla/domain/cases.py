"""All clocks of one case, and what each thing that happens does to them.

Every function takes the case's clocks and returns them changed, with the facts to tell. A
function that finds nothing to do returns the same clocks and no fact, so that a repeated or
late event does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.sla.domain import clocks
from services.sla.domain.book import LIBRARY, Calendars
from services.sla.domain.calendar import WorkingTime
from services.sla.domain.clocks import Mark, Timer
from services.sla.domain.policy import Allowance, Policy, Row, calendar_name
from shared.contracts.vocabulary import CaseType, Clock, Priority

WORK = (Clock.TRIAGE, Clock.ACCEPT, Clock.REVIEW)
ANSWERS = (Clock.FIRST_RESPONSE, Clock.NEXT_RESPONSE)


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
        return self.timer.breached_at is None


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
        return max((t for t in self.timers if t.clock is clock), key=_cycle, default=None)

    def running(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock, if it has not ended."""
        timer = self.current(clock)
        return timer if timer is not None and timer.is_open else None


@dataclass(frozen=True, slots=True)
class Change:
    """What a case's clocks are now, and what is to be told about it."""

    case: CaseClocks
    facts: tuple[Fact, ...] = ()


def _cycle(timer: Timer) -> int:
    return timer.cycle


@dataclass(slots=True)
class _Draft:
    """Collects changes within one function; never leaves this module."""

    case: CaseClocks
    rules: Rules
    facts: list[Fact] = field(default_factory=list)

    def done(self) -> Change:
        return Change(self.case, tuple(self.facts))

    def set(self, **values: object) -> None:
        self.case = replace(self.case, **values)  # type: ignore[arg-type]

    def row(self) -> Row:
        case = self.case
        return self.rules.policy.row(case.priority, case.type, proposal=case.proposal)

    def working(self, timer: Timer) -> WorkingTime:
        return self.rules.calendars.named(timer.calendar)

    def put(self, timer: Timer) -> None:
        timers, key = self.case.timers, (timer.clock, timer.cycle)
        if any((t.clock, t.cycle) == key for t in timers):
            self.set(timers=tuple(timer if (t.clock, t.cycle) == key else t for t in timers))
        else:
            self.set(timers=(*timers, timer))

    def tell(self, kind: FactKind, timer: Timer, **more: object) -> None:
        self.facts.append(Fact(kind, timer, **more))  # type: ignore[arg-type]

    def allowed(self, clock: Clock, *, reopened: bool) -> Allowance | None:
        allowance = self.rules.policy.allowance(self.row(), clock)
        if allowance is None or not reopened:
            return allowance
        share = self.rules.policy.reopened_percent
        return allowance._replace(amount=allowance.amount * share / 100)

    def start(self, clock: Clock, at: datetime, *, reopened: bool = False) -> None:
        """Begin a new cycle, unless one runs or the row promises nothing."""
        allowance = self.allowed(clock, reopened=reopened)
        if allowance is None or self.case.running(clock):
            return
        before = self.case.current(clock)
        promised = before is not None and clock is Clock.RESOLUTION and self.case.told
        name = calendar_name(clock, allowance, self.case.department)
        timer = clocks.start(
            clock,
            at=at,
            budget=allowance.amount,
            working=self.rules.calendars.named(name),
            calendar=name,
            department=self.case.department,
            escalate=self.row().escalate,
            cycle=before.cycle + 1 if before else 1,
            first_due=before.first_due if before and promised else None,
            reopened=reopened,
        )
        self.put(timer)
        self.tell(FactKind.PROMISED, timer, reason="reopened" if reopened else "")

    def end(self, clock: Clock, at: datetime, kind: FactKind) -> None:
        """Meet or cancel a clock; a breach nobody has marked yet is told first."""
        timer = self.resume(clock, at, tell=False)
        if timer is None:
            return
        self.mark(timer, clocks.overdue_mark(timer, at))
        timer = self.case.running(clock)
        if timer is None:
            return
        worked = clocks.worked(timer, at, self.working(timer))
        finish = clocks.meet if kind is FactKind.MET else clocks.cancel
        timer = finish(timer, at)
        self.put(timer)
        self.tell(kind, timer, worked=worked)

    def meet(self, at: datetime, *which: Clock) -> None:
        for clock in which:
            self.end(clock, at, FactKind.MET)

    def cancel(self, at: datetime, *which: Clock) -> None:
        for clock in which:
            self.end(clock, at, FactKind.CANCELLED)

    def mark(self, timer: Timer, marks: Iterable[Mark]) -> None:
        for mark in marks:
            timer = clocks.record(timer, [mark])
            self.put(timer)
            self.tell(FactKind.MARKED, timer, mark=mark)

    def pause(self, clock: Clock, at: datetime) -> None:
        timer = self.case.running(clock)
        if timer is not None and timer.paused_at is None:
            paused = clocks.pause(timer, at)
            self.put(paused)
            self.tell(FactKind.PAUSED, paused)

    def resume(self, clock: Clock, at: datetime, *, tell: bool = True) -> Timer | None:
        timer = self.case.running(clock)
        if timer is None or timer.paused_at is None:
            return timer
        # what was reached before the pause would otherwise move with the deadline
        self.mark(timer, clocks.marks_due(timer, timer.paused_at))
        timer = self.case.running(clock)
        if timer is None:
            return None
        timer = clocks.resume(timer, at, self.working(timer))
        self.put(timer)
        if tell:
            self.tell(FactKind.RESUMED, timer)
        return timer

    def recount(self, at: datetime, *, reason: str, first: bool = False) -> None:
        """Hold every open clock against the row that applies now."""
        for timer in sorted(self.case.timers, key=lambda t: (list(Clock).index(t.clock), t.cycle)):
            if not timer.is_open:
                continue
            allowance = self.allowed(timer.clock, reopened=timer.reopened)
            if allowance is None:
                self.cancel(at, timer.clock)
                continue
            name = calendar_name(
                timer.clock, allowance, self.case.department if first else timer.department
            )
            counted = clocks.recount(
                timer,
                budget=allowance.amount,
                working=self.rules.calendars.named(name),
                calendar=name,
                department=self.case.department if first else timer.department,
                escalate=self.row().escalate,
                first=first,
            )
            self.put(counted)
            if (counted.due, counted.first_due) != (timer.due, timer.first_due):
                self.tell(FactKind.PROMISED, counted, reason=reason)

    def classify(
        self,
        at: datetime,
        *,
        priority: Priority | None,
        type: CaseType | None,
        department: str | None,
        proposal: bool | None = None,
    ) -> None:
        """Another priority, type or owner: what is open is counted anew from its own start.

        A new owner's hours count for dates already told only from the next clock on."""
        case, row = self.case, self.row()
        self.set(
            priority=priority or case.priority,
            type=type or case.type,
            department=case.department if department is None else department,
            proposal=case.proposal if proposal is None else proposal,
        )
        moved = self.case.department != case.department and not case.told
        if self.row() == row and not moved:
            return
        self.recount(at, reason="priority", first=not case.told)
        self.owe_resolution()

    def owe_resolution(self) -> None:
        """What was praise, which promises no resolution, and now is not, is owed one."""
        first, resolution = (self.case.current(c) for c in (Clock.FIRST_RESPONSE, Clock.RESOLUTION))
        handled = first is None or first.cancelled_at or self.case.current(Clock.FOLLOW_UP)
        if not handled and (resolution is None or resolution.cancelled_at):
            self.start(Clock.RESOLUTION, self.case.received_at)


def receive(
    rules: Rules,
    *,
    at: datetime,
    priority: Priority = Priority.P3,
    type: CaseType = CaseType.OTHER,
    proposal: bool = False,
) -> Change:
    """A comment came in: the user's clocks and triage begin."""
    draft = _Draft(
        CaseClocks(
            received_at=at,
            policy_version=rules.policy.version,
            priority=priority,
            type=type,
            proposal=proposal,
        ),
        rules,
    )
    for clock in (Clock.TRIAGE, Clock.FIRST_RESPONSE, Clock.RESOLUTION):
        draft.start(clock, at)
    return draft.done()


def tell_reporter(case: CaseClocks) -> CaseClocks:
    """From now on the dates are a promise somebody has read."""
    return replace(case, told=True)


def route(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    priority: Priority | None = None,
    type: CaseType | None = None,
    department: str | None = None,
    proposal: bool | None = None,
) -> Change:
    """Routing (or a person) says how urgent it is, of what kind, and whose."""
    draft = _Draft(case, rules)
    draft.classify(at, priority=priority, type=type, department=department, proposal=proposal)
    return draft.done()


def dispatch(
    case: CaseClocks,
    rules: Rules,
    *,
    at: datetime,
    department: str,
    priority: Priority | None = None,
    type: CaseType | None = None,
) -> Change:
    """Sent to a department. Triage is held against the promise that was in force until now."""
    draft = _Draft(case, rules)
    draft.meet(at, Clock.TRIAGE)
    draft.cancel(at, Clock.ACCEPT)
    draft.classify(at, priority=priority, type=type, department=department)
    draft.set(told=True)
    draft.start(Clock.ACCEPT, at)
    return draft.done()


def accept(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Signed for."""
    draft = _Draft(case, rules)
    draft.meet(at, Clock.ACCEPT)
    return draft.done()


def give_back(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Returned: triage again, in its next cycle; the user's clocks keep running."""
    draft = _Draft(case, rules)
    draft.cancel(at, Clock.ACCEPT, Clock.REVIEW)
    draft.start(Clock.TRIAGE, at)
    return draft.done()


def ask_user(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Change:
    """A public question: an answer of sorts, and the resolution waits for the user."""
    draft = _Draft(case, rules)
    if human:
        draft.meet(at, *ANSWERS)
    draft.pause(Clock.RESOLUTION, at)
    return draft.done()


def hear_from_user(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """The user said something: waiting is over, and a next answer is owed.

    While the first answer is still owed there is no second one besides it."""
    draft = _Draft(case, rules)
    draft.resume(Clock.RESOLUTION, at)
    active = not draft.case.running(Clock.FOLLOW_UP) and any(
        draft.case.running(c) for c in (Clock.RESOLUTION, Clock.TRIAGE, Clock.ACCEPT)
    )
    if active and not draft.case.running(Clock.FIRST_RESPONSE):
        draft.start(Clock.NEXT_RESPONSE, at)
    return draft.done()


def stop_waiting(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Nobody answered in time, or staff go on without: the resolution runs again."""
    draft = _Draft(case, rules)
    draft.resume(Clock.RESOLUTION, at)
    return draft.done()


def send_to_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """A reply waits to be read by the reviewer."""
    draft = _Draft(case, rules)
    draft.start(Clock.REVIEW, at)
    return draft.done()


def finish_review(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Sent back with comments; publishing ends a review too, in `reply`."""
    draft = _Draft(case, rules)
    draft.meet(at, Clock.REVIEW)
    return draft.done()


def reply(case: CaseClocks, rules: Rules, *, at: datetime, human: bool = True) -> Change:
    """Published. An automatic message counts for nothing."""
    draft = _Draft(case, rules)
    if human:
        draft.meet(at, *WORK, *ANSWERS, Clock.RESOLUTION)
        draft.start(Clock.FOLLOW_UP, at)
    return draft.done()


def close(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Done, also by dismissing an appeal: none runs."""
    draft = _Draft(case, rules)
    draft.meet(at, Clock.FOLLOW_UP, Clock.APPEAL)
    draft.cancel(at, *Clock)
    return draft.done()


def end(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Refused, merged, withdrawn, spam: all cancelled."""
    draft = _Draft(case, rules)
    draft.cancel(at, *Clock)
    return draft.done()


def reopen(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """Not solved after all, or an appeal upheld: triage, and a new, shorter resolution.

    The first cycle's figures stay as they are."""
    draft = _Draft(case, rules)
    draft.meet(at, Clock.APPEAL)
    draft.cancel(at, Clock.FOLLOW_UP)
    draft.start(Clock.RESOLUTION, at, reopened=True)
    draft.start(Clock.TRIAGE, at)
    return draft.done()


def appeal(case: CaseClocks, rules: Rules, *, at: datetime) -> Change:
    """A leader looks again."""
    draft = _Draft(case, rules)
    draft.cancel(at, Clock.FOLLOW_UP)
    draft.start(Clock.APPEAL, at)
    return draft.done()


def extend(case: CaseClocks, rules: Rules, *, at: datetime, until: datetime, reason: str) -> Change:
    """A granted extension. A deadline that has passed stays passed."""
    draft = _Draft(case, rules)
    timer = case.running(Clock.RESOLUTION)
    if timer is None or until <= timer.due:
        return draft.done()
    draft.mark(timer, clocks.marks_due(timer, at))
    timer = draft.case.running(Clock.RESOLUTION)
    if timer is not None:
        timer = clocks.extend(timer, until, draft.working(timer))
        draft.put(timer)
        draft.tell(FactKind.PROMISED, timer, reason=reason)
    return draft.done()


def recompute(case: CaseClocks, rules: Rules, *, at: datetime, reason: str = "calendar") -> Change:
    """The calendar changed: every open deadline is counted anew, what has passed stays."""
    draft = _Draft(case, rules)
    for timer in case.timers:
        draft.mark(timer, clocks.marks_due(timer, at))
    draft.recount(at, reason=reason)
    return draft.done()


def tick(case: CaseClocks, rules: Rules, *, now: datetime) -> Change:
    """Mark every level that has been reached, each once, in the order they were."""
    draft = _Draft(case, rules)
    due = [mark for timer in case.timers for mark in clocks.marks_due(timer, now)]
    for mark in sorted(due, key=lambda m: m.at):
        timer = draft.case.running(mark.clock)
        if timer is not None:
            draft.mark(timer, [mark])
    return draft.done()


def next_check(case: CaseClocks) -> datetime | None:
    """When this case must be looked at again."""
    return min(filter(None, map(clocks.next_check, case.timers)), default=None)
