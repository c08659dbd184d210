"""A case's clocks while one thing happens to them: the steps that `cases` is written in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.sla.domain import clocks
from services.sla.domain.calendar import WorkingTime
from services.sla.domain.clocks import Mark, Timer
from services.sla.domain.facts import (
    CaseClocks,
    Change,
    Fact,
    FactKind,
    Rules,
    in_order,
    latest,
)
from services.sla.domain.policy import Allowance, Row, calendar_name
from shared.contracts.vocabulary import CaseType, Clock, Priority


class Draft:
    """Collects changes and facts within one function of `cases`; never kept."""

    __slots__ = ("_began_with", "_timers", "case", "facts", "rules")

    def __init__(self, case: CaseClocks, rules: Rules) -> None:
        self.case = case
        """What the promises depend on, as it is by now; its timers are those it began with."""
        self.rules = rules
        self.facts: list[Fact] = []
        self._began_with = case.timers
        self._timers = {(t.clock, t.cycle): t for t in case.timers}

    def done(self) -> Change:
        timers = tuple(self._timers.values())
        case = self.case if timers == self._began_with else replace(self.case, timers=timers)
        return Change(case, tuple(self.facts))

    def set(self, **values: object) -> None:
        self.case = replace(self.case, **values)  # type: ignore[arg-type]

    def current(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock."""
        return latest(self._timers.values(), clock)

    def running(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock, if it has not ended."""
        timer = self.current(clock)
        return timer if timer is not None and timer.is_open else None

    def row(self) -> Row:
        case = self.case
        return self.rules.policy.row(case.priority, case.type, proposal=case.proposal)

    def working(self, timer: Timer) -> WorkingTime:
        return self.rules.calendars.named(timer.calendar)

    def put(self, timer: Timer) -> None:
        self._timers[timer.clock, timer.cycle] = timer

    def tell(self, kind: FactKind, timer: Timer, **more: object) -> None:
        self.facts.append(Fact(kind, timer, **more))  # type: ignore[arg-type]

    def allowed(self, row: Row, clock: Clock, *, reopened: bool) -> Allowance | None:
        allowance = self.rules.policy.allowance(row, clock)
        if allowance is None or not reopened:
            return allowance
        share = self.rules.policy.reopened_percent
        return allowance._replace(amount=allowance.amount * share / 100)

    def start(self, clock: Clock, at: datetime, *, reopened: bool = False) -> None:
        """Begin a new cycle, unless one runs or the row promises nothing."""
        row, before = self.row(), self.current(clock)
        allowance = self.allowed(row, clock, reopened=reopened)
        if allowance is None or (before is not None and before.is_open):
            return
        promised = before is not None and clock is Clock.RESOLUTION and self.case.told
        name = calendar_name(clock, allowance, self.case.department)
        timer = clocks.start(
            clock,
            at=at,
            budget=allowance.amount,
            working=self.rules.calendars.named(name),
            calendar=name,
            department=self.case.department,
            escalate=row.escalate,
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
        timer = self.running(clock)
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
        timer = self.running(clock)
        if timer is not None and timer.paused_at is None:
            paused = clocks.pause(timer, at)
            self.put(paused)
            self.tell(FactKind.PAUSED, paused)

    def resume(self, clock: Clock, at: datetime, *, tell: bool = True) -> Timer | None:
        timer = self.running(clock)
        if timer is None or timer.paused_at is None:
            return timer
        # what was reached before the pause would otherwise move with the deadline
        self.mark(timer, clocks.marks_due(timer, timer.paused_at))
        timer = self.running(clock)
        if timer is None:
            return None
        timer = clocks.resume(timer, at, self.working(timer))
        self.put(timer)
        if tell:
            self.tell(FactKind.RESUMED, timer)
        return timer

    def recount(self, at: datetime, *, reason: str, first: bool = False) -> None:
        """Hold every open clock against the row that applies now.

        What has passed by `at` is marked first: a new date hides no breach."""
        for timer in list(self._timers.values()):
            self.mark(timer, clocks.marks_due(timer, at))
        row = self.row()
        for timer in in_order(self._timers.values()):
            if not timer.is_open:
                continue
            allowance = self.allowed(row, timer.clock, reopened=timer.reopened)
            if allowance is None:
                self.cancel(at, timer.clock)
                continue
            department = self.case.department if first else timer.department
            name = calendar_name(timer.clock, allowance, department)
            counted = clocks.recount(
                timer,
                budget=allowance.amount,
                working=self.rules.calendars.named(name),
                calendar=name,
                department=department,
                escalate=row.escalate,
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
        # Before anyone was told nothing moves: the new date simply is the promise.
        self.recount(at, reason="priority" if case.told else "", first=not case.told)
        self.owe_resolution()

    def owe_resolution(self) -> None:
        """What was praise, which promises no resolution, and now is not, is owed one."""
        first, resolution = (self.current(c) for c in (Clock.FIRST_RESPONSE, Clock.RESOLUTION))
        handled = first is None or first.cancelled_at or self.current(Clock.FOLLOW_UP)
        if not handled and (resolution is None or resolution.cancelled_at):
            self.start(Clock.RESOLUTION, self.case.received_at)
