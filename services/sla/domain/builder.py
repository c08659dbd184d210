"""A case's clocks while one thing happens to them: the steps that `cases` is written in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.sla.domain import clocks, segments
from services.sla.domain.case_clocks import (
    CaseClocks,
    Left,
    Reached,
    Rules,
    Update,
    in_order,
    latest,
)
from services.sla.domain.clocks import Mark, MarkKind, Timer
from services.sla.domain.policy import Allowance, Row, calendar_name, choose_row, parse_allowance
from services.sla.domain.segments import Segment
from services.sla.domain.working_time import WorkingTime
from shared.contracts.sla import Change, ClockChange
from shared.contracts.vocabulary import CaseType, Clock, Priority

_COUNTED = frozenset({Change.PROMISED, Change.MOVED, Change.RESUMED})


class UpdateBuilder:
    """Collects changes and marks within one function of `cases`; never kept."""

    __slots__ = ("_began_with", "_changes", "_left", "_reached", "_timers", "case", "rules")

    def __init__(self, case: CaseClocks, rules: Rules) -> None:
        self.case = case
        """What the promises depend on, as it is by now; its timers are those it began with."""
        self.rules = rules
        self._reached: list[Reached] = []
        self._changes: list[ClockChange] = []
        self._left: list[Left] = []
        self._began_with = case.timers
        self._timers = {(t.clock, t.cycle): t for t in case.timers}

    def done(self) -> Update:
        timers = tuple(self._timers.values())
        case = self.case if timers == self._began_with else replace(self.case, timers=timers)
        return Update(case, tuple(self._reached), tuple(self._changes), tuple(self._left))

    def set(self, **values: object) -> None:
        self.case = replace(self.case, **values)  # type: ignore[arg-type]

    def current(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock."""
        return latest(self._timers.values(), clock)

    def running(self, clock: Clock) -> Timer | None:
        """The latest cycle of a clock, if it has not ended."""
        timer = self.current(clock)
        return timer if timer is not None and timer.is_open else None

    def row(self, department: str | None = None) -> Row:
        """What applies now, in the hands of this department, if named."""
        return choose_row(self.rules.policy, self.case.subject(department)).row

    def working(self, timer: Timer) -> WorkingTime:
        return self.rules.calendars.named(timer.calendar)

    def put(self, timer: Timer) -> None:
        self._timers[timer.clock, timer.cycle] = timer

    def changed(
        self,
        change: Change,
        timer: Timer,
        at: datetime,
        *,
        reason: str = "",
        worked: timedelta | None = None,
    ) -> None:
        """Keep `timer`, to which this happened at `at`."""
        self.put(timer)
        self._changes.append(
            ClockChange(
                clock=timer.clock,
                cycle=timer.cycle,
                change=change,
                at=at,
                due=timer.due,
                first_due=timer.first_due,
                started=timer.started_at,
                department=self.case.responsible_for(timer.clock),
                reason=reason or None,
                in_time=timer.in_time,
                working_seconds=None if worked is None else int(worked.total_seconds()),
                **(self._grounds(timer) if change in _COUNTED else {}),
            )
        )

    def _grounds(self, timer: Timer) -> dict[str, Any]:
        """What the deadline rests on."""
        subject = self.case.subject(timer.department)
        return {
            "cause": self.rules.cause or None,
            "row": choose_row(self.rules.policy, subject).name,
            "calendar_version": self.rules.calendars.definition.version,
        }

    def allowed(
        self, row: Row, clock: Clock, *, reopened: bool, progress: bool
    ) -> Allowance | None:
        if progress:
            return parse_allowance(row.progress_note) if row.progress_note else None
        allowance = self.rules.policy.allowance(row, clock)
        if allowance is None or not reopened:
            return allowance
        share = self.rules.policy.reopened_percent
        return allowance._replace(amount=allowance.amount * share / 100)

    def start(
        self, clock: Clock, at: datetime, *, reopened: bool = False, progress: bool = False
    ) -> None:
        """Begin a new cycle, unless one runs or the row promises nothing.

        With `progress`, what is owed is a progress note: the row says how often."""
        row, before = self.row(), self.current(clock)
        allowance = self.allowed(row, clock, reopened=reopened, progress=progress)
        if allowance is None or (before is not None and before.is_open):
            return
        promised = before is not None and clock is Clock.RESOLUTION and self.case.announced
        name = calendar_name(clock, allowance, self.case.department)
        timer = clocks.start(
            clock,
            at=at,
            budget=allowance.amount,
            working=self.rules.calendars.named(name),
            calendar=name,
            department=self.case.department,
            ladder=clocks.ladder_of(row),
            cycle=before.cycle + 1 if before else 1,
            first_due=before.first_due if before and promised else None,
            reopened=reopened,
            progress=progress,
        )
        reason = "reopened" if reopened else ""
        self.changed(Change.PROMISED, replace(timer, reason=reason), at, reason=reason)

    def end(self, clock: Clock, at: datetime, change: Change) -> None:
        """Meet or cancel a clock; a breach nobody has marked yet is marked first."""
        timer = self.resume(clock, at, emit=False)
        if timer is None:
            return
        self.mark(timer, clocks.overdue_mark(timer, at))
        timer = self.running(clock)
        if timer is None:
            return
        if change is Change.CANCELLED:
            self.changed(change, clocks.cancel(timer, at), at)
        else:
            worked = clocks.worked(timer, at, self.working(timer))
            self.changed(change, clocks.meet(timer, at), at, worked=worked)

    def meet(self, at: datetime, *which: Clock) -> None:
        for clock in which:
            self.end(clock, at, Change.MET)

    def cancel(self, at: datetime, *which: Clock) -> None:
        for clock in which:
            self.end(clock, at, Change.CANCELLED)

    def mark(self, timer: Timer, marks: Iterable[Mark]) -> None:
        for mark in marks:
            timer = clocks.record(timer, [mark])
            if mark.kind is MarkKind.ELAPSED:
                self.changed(Change.MET, timer, mark.at, worked=timer.budget)
                continue
            self.put(timer)
            department = self.case.responsible_for(mark.clock)
            self._reached.append(Reached(mark, timer, department))

    def pause(self, clock: Clock, at: datetime) -> None:
        timer = self.running(clock)
        if timer is not None and timer.paused_at is None:
            self.changed(Change.PAUSED, clocks.pause(timer, at), at)

    def resume(self, clock: Clock, at: datetime, *, emit: bool = True) -> Timer | None:
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
        if emit:
            self.changed(Change.RESUMED, timer, at)
        return timer

    def recount(self, at: datetime, *, reason: str, first: bool = False) -> None:
        """Hold every open clock against the row that applies now.

        What has passed by `at` is marked first: a new date hides no breach."""
        for timer in list(self._timers.values()):
            self.mark(timer, clocks.marks_due(timer, at))
        self._recount(at, self._timers.values(), reason=reason, first=first)

    def recount_ahead(self, at: datetime, *, reason: str) -> None:
        """The same for deadlines that lie ahead, or were breached for certain.

        One that passed a moment ago stays as it is: whoever reads the log marks it, if nothing in
        there kept the promise."""
        ahead = [t for t in self._timers.values() if at < t.due or clocks.BREACH in t.marked]
        self._recount(at, ahead, reason=reason, keep_named=True)

    def _recount(
        self,
        at: datetime,
        timers: Iterable[Timer],
        *,
        reason: str,
        first: bool = False,
        keep_named: bool = False,
    ) -> None:
        for timer in in_order(timers):
            if not timer.is_open:
                continue
            department = self.case.department if first else timer.department
            row = self.row(department)
            allowance = self.allowed(
                row, timer.clock, reopened=timer.reopened, progress=timer.progress
            )
            if allowance is None:
                self.cancel(at, timer.clock)
                continue
            name = calendar_name(timer.clock, allowance, department)
            counted = clocks.recount(
                timer,
                budget=allowance.amount,
                working=self.rules.calendars.named(name),
                calendar=name,
                department=department,
                ladder=clocks.ladder_of(row),
                first=first,
                keep_named=keep_named,
            )
            if (counted.due, counted.first_due) == (timer.due, timer.first_due):
                self.put(counted)
                continue
            counted = replace(counted, reason=reason)
            self.changed(Change.PROMISED if first else Change.MOVED, counted, at, reason=reason)

    def classify(
        self,
        at: datetime,
        *,
        priority: Priority | None,
        type: CaseType | None,
        department: str | None,
        category: str | None = None,
        proposal: bool | None = None,
    ) -> None:
        """Another priority, type, category or owner: what is open is counted anew from its start.

        A new owner's hours and rows count for dates already announced only from the next clock on.
        """
        case = self.case
        before = self._rows_in_force()
        self.set(
            priority=priority or case.priority,
            type=type or case.type,
            department=case.department if department is None else department,
            category=category or case.category,
            proposal=case.proposal if proposal is None else proposal,
        )
        moved = self.case.department != case.department and not case.announced
        if self._rows_in_force() == before and not moved:
            return
        # Before a date was announced nothing moves: the new date simply is the promise.
        what = (case.category, case.type, case.proposal)
        another = what != (self.case.category, self.case.type, self.case.proposal)
        reason = "category" if another else "priority"
        self.recount(at, reason=reason if case.announced else "", first=not case.announced)
        self.owe_resolution()

    def _rows_in_force(self) -> list[Row]:
        """The rows that the open clocks would be counted by."""
        if not self.case.announced:
            return [self.row()]
        holders = {t.department: None for t in self._timers.values() if t.is_open}
        return [self.row(department) for department in holders]

    def owe_resolution(self) -> None:
        """What was praise, which promises no resolution, and now is not, is owed one."""
        first, resolution = (self.current(c) for c in (Clock.FIRST_RESPONSE, Clock.RESOLUTION))
        handled = first is None or first.cancelled_at or self.current(Clock.FOLLOW_UP)
        if not handled and (resolution is None or resolution.cancelled_at):
            self.start(Clock.RESOLUTION, self.case.received_at)

    def hand_to(self, department: str, at: datetime, *, part: bool = False) -> None:
        """From now on the case is in this department's hands."""
        if part and self._in_hands(department, part=True) is not None:
            return
        segment = Segment(department=department, started_at=at, part=part)
        self.set(segments=(*self.case.segments, segment))

    def leave(self, at: datetime, department: str | None = None) -> None:
        """Out of the hands of whoever has it; with `department`, of that one's part only."""
        for segment in self.case.segments:
            mine = department is None or (segment.part and segment.department == department)
            if segment.ended_at is None and mine:
                working = self.rules.calendars.named(segment.department)
                ended = segments.end(segment, at, working)
                self._replace(segment, ended)
                self._left.append(Left(ended, segments.worked(ended, working)))

    def wait(self, at: datetime) -> None:
        """The department waits for somebody else."""
        if (segment := self._in_hands()) is not None:
            self._replace(segment, segments.wait(segment, at))

    def go_on(self, at: datetime) -> None:
        """It waits no longer."""
        if (segment := self._in_hands()) is not None:
            working = self.rules.calendars.named(segment.department)
            self._replace(segment, segments.go_on(segment, at, working))

    @property
    def waits(self) -> bool:
        """Whether the department waits for somebody else."""
        segment = self._in_hands()
        return segment is not None and segment.waiting_since is not None

    def _in_hands(self, department: str | None = None, *, part: bool = False) -> Segment | None:
        return next(
            (
                s
                for s in self.case.segments
                if s.ended_at is None
                and s.part is part
                and (department is None or s.department == department)
            ),
            None,
        )

    def _replace(self, old: Segment, new: Segment) -> None:
        if new != old:
            self.set(segments=tuple(new if s is old else s for s in self.case.segments))
