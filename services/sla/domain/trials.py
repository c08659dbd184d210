"""What other rules would do: open promises under another calendar, past ones under a policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain import cases, clocks
from services.sla.domain.builder import UpdateBuilder
from services.sla.domain.case_clocks import CaseClocks, Rules
from services.sla.domain.clocks import Timer
from services.sla.domain.policy import calendar_name
from shared.contracts.vocabulary import Clock


@dataclass(frozen=True, slots=True)
class Moved:
    """An open promise that would be for another moment."""

    clock: Clock
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class Retried:
    """A past promise under the rules in force, and under others."""

    clock: Clock
    before: datetime | None
    """What the rules in force would have promised; None: nothing."""
    after: datetime | None
    ended: datetime | None
    broken_then: bool
    """By what was promised then, whatever the rules are now."""
    broken_before: bool
    broken_after: bool


def moved_by(case: CaseClocks, rules: Rules, *, now: datetime) -> list[Moved]:
    """The open promises of a case that these rules would move, as a new calendar does."""
    before = {(t.clock, t.cycle): t for t in case.timers if t.is_open}
    after = cases.recompute(case, rules, at=now, reason="").case
    return [
        Moved(timer.clock, before[key].due, timer.due)
        for timer in after.timers
        if (key := (timer.clock, timer.cycle)) in before and timer.due != before[key].due
    ]


def tried_on(
    case: CaseClocks, rules: Rules, in_force: Rules, *, now: datetime
) -> Iterator[Retried]:
    """Each promise of a past case: kept or broken by the rules in force, and by these, both counted
    anew by the same calendar, so that what differs is what the rules differ in.

    What was called off counts for neither; a clock that is not promised cannot be broken."""
    for timer in case.timers:
        if timer.clock is Clock.FOLLOW_UP or timer.cancelled_at is not None:
            continue
        then = timer.breached_at is not None and timer.in_time is not True
        before, after = (_due_again(timer, case, r) for r in (in_force, rules))
        if before is None and after is None and not then:
            continue
        until = timer.met_at or timer.paused_at or now
        yield Retried(
            timer.clock,
            before,
            after,
            timer.met_at,
            then,
            before is not None and until > before,
            after is not None and until > after,
        )


def _due_again(timer: Timer, case: CaseClocks, rules: Rules) -> datetime | None:
    builder = UpdateBuilder(case, rules)
    row = builder.row(timer.department)
    allowance = builder.allowed(row, timer.clock, reopened=timer.reopened, progress=timer.progress)
    if allowance is None:
        return None
    name = calendar_name(timer.clock, allowance, timer.department)
    return clocks.recount(
        timer,
        budget=allowance.amount,
        working=rules.calendars.named(name),
        calendar=name,
        department=timer.department,
        ladder=clocks.ladder_of(row),
    ).due
