"""What the other services learn of a case's clocks: the events of sla, made of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.sla.domain.case_clocks import CaseClocks, Left, Reached, in_order
from services.sla.domain.clocks import MarkKind, Timer
from services.sla.domain.policy import Night, Policy, QuietHours, Subject, choose_row
from shared.contracts.sla import (
    Change,
    ClockChange,
    ClockEvent,
    EscalationRaised,
    OrdinaryPromisesSet,
    Promise,
    PromisedTime,
    QuietHoursSet,
    SlaBreached,
    SlaPromisesChanged,
    SlaSegmentEnded,
    SlaWarned,
)
from shared.contracts.vocabulary import Clock, Priority


def events_of_mark(feedback_id: str, reached: Reached) -> Iterator[ClockEvent]:
    """A level that was reached, as of the moment it was; then who else should know."""
    mark, timer = reached.mark, reached.timer
    about = {
        "feedback_id": feedback_id,
        "at": mark.at,
        "clock": mark.clock,
        "cycle": mark.cycle,
        "due": timer.due,
        "first_due": timer.first_due,
        "department": reached.department,
    }
    if mark.kind is MarkKind.WARNED:
        yield SlaWarned.model_validate(about | {"level": mark.level})
    elif mark.kind is MarkKind.BREACHED:
        yield SlaBreached.model_validate(about)
    if mark.to is not None:
        more = {"level": mark.level, "to_role": mark.to}
        yield EscalationRaised.model_validate(about | more)


def quiet_hours_set(policy: Policy, at: datetime) -> QuietHoursSet:
    """The quiet hours of a policy, for everybody."""
    quiet = policy.quiet
    return QuietHoursSet(
        at=at,
        policy_version=policy.version,
        starts=quiet.starts,
        ends=quiet.ends,
        p1_starts=quiet.p1 and quiet.p1.starts,
        p1_ends=quiet.p1 and quiet.p1.ends,
    )


def quiet_of(told: QuietHoursSet | None) -> QuietHours:
    """The quiet hours everybody knows; those that are shipped until some were told."""
    if told is None:
        return QuietHours()
    own = told.p1_starts is not None and told.p1_ends is not None
    p1 = Night(starts=str(told.p1_starts), ends=str(told.p1_ends)) if own else None
    return QuietHours(starts=told.starts, ends=told.ends, p1=p1)


def ordinary_promises_set(policy: Policy, at: datetime) -> OrdinaryPromisesSet:
    """What a policy promises for an ordinary comment, of which no more is known, for everybody."""
    row = choose_row(policy, Subject(Priority.P3)).row
    times = [
        PromisedTime(clock=clock, time=text)
        for clock in Clock
        if (text := policy.duration(row, clock))
    ]
    return OrdinaryPromisesSet(at=at, policy_version=policy.version, times=tuple(times))


def promises_changed(
    feedback_id: str, case: CaseClocks, changes: Sequence[ClockChange]
) -> SlaPromisesChanged:
    """All that happened to a case's clocks, and its promises as they are in `case`."""
    return SlaPromisesChanged(
        feedback_id=feedback_id,
        at=changes[-1].at,
        changes=tuple(compact(changes)),
        promises=promises_of(case),
        priority=case.priority,
        policy_version=case.policy_version,
    )


def segment_ended(feedback_id: str, left: Left) -> SlaSegmentEnded:
    """A department's time with a case is over."""
    segment = left.segment
    ended = segment.ended_at or segment.started_at
    return SlaSegmentEnded(
        feedback_id=feedback_id,
        at=ended,
        department=segment.department,
        part=segment.part,
        started=segment.started_at,
        working_seconds=int(left.worked.total_seconds()),
        elapsed_seconds=int((ended - segment.started_at).total_seconds()),
        waiting_seconds=int(segment.waited.total_seconds()),
    )


def promises_of(case: CaseClocks) -> tuple[Promise, ...]:
    """The latest cycle of each clock, in the order of the clocks."""
    current = {timer.clock: timer for timer in in_order(case.timers)}
    return tuple(_promise(case, timer) for timer in current.values())


def compact(changes: Sequence[ClockChange]) -> list[ClockChange]:
    """Without first dates that were worked out anew before anybody could read them."""
    kept: dict[object, ClockChange] = {}
    for n, change in enumerate(changes):
        promised = change.change is Change.PROMISED
        kept[(change.clock, change.cycle) if promised else n] = change
    return list(kept.values())


def _promise(case: CaseClocks, timer: Timer) -> Promise:
    return Promise(
        clock=timer.clock,
        cycle=timer.cycle,
        status=timer.status,
        due=timer.due,
        first_due=timer.first_due,
        started=timer.started_at,
        department=case.responsible_for(timer.clock),
        reason=timer.reason or None,
        paused=timer.is_open and timer.paused_at is not None,
        ended=timer.met_at or timer.cancelled_at,
        in_time=timer.in_time,
    )
