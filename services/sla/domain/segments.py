"""How long each department has a case in its hands. None of it stops the reporter's clocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.sla.domain.working_time import ZERO, WorkingTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The time of one department with a case, from dispatch until it leaves its hands.

    With `part` it is a second department that does its part beside the first.
    """

    department: str
    started_at: datetime
    part: bool = False
    waiting_since: datetime | None = None
    """It waits for the reporter, or for somebody outside."""
    waited: timedelta = ZERO
    """Working time that it waited."""
    ended_at: datetime | None = None


def wait(segment: Segment, at: datetime) -> Segment:
    """Stand still. Waiting twice is waiting once."""
    if segment.ended_at is not None or segment.waiting_since is not None:
        return segment
    return replace(segment, waiting_since=max(at, segment.started_at))


def go_on(segment: Segment, at: datetime, working: WorkingTime) -> Segment:
    """Run again."""
    if segment.waiting_since is None:
        return segment
    waited = max(ZERO, working.working_between(segment.waiting_since, at))
    return replace(segment, waiting_since=None, waited=segment.waited + waited)


def end(segment: Segment, at: datetime, working: WorkingTime) -> Segment:
    """Out of its hands."""
    if segment.ended_at is not None:
        return segment
    return replace(go_on(segment, at, working), ended_at=max(at, segment.started_at))


def worked(segment: Segment, working: WorkingTime) -> timedelta:
    """Working time in its hands, without what it waited, of one that has ended."""
    assert segment.ended_at is not None
    whole = working.working_between(segment.started_at, segment.ended_at)
    return max(ZERO, whole - segment.waited)
