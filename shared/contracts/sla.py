"""Events emitted by sla: promises, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.event import DIRECTORY, DirectoryFact, Event
from shared.contracts.lenient import lenient
from shared.contracts.vocabulary import Clock, Priority

Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""Aware UTC, whatever offset it was written with."""
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Change(StrEnum):
    """What happened to a clock."""

    PROMISED = "promised"
    """It runs; or, before any date was announced, its first date was worked out anew."""
    MOVED = "moved"
    """Its deadline is another one than was announced; `reason` says why."""
    PAUSED = "paused"
    RESUMED = "resumed"
    """It runs again; `due` has moved by the working time it stood still."""
    MET = "met"
    """What was promised has happened; a follow-up has run out."""
    CANCELLED = "cancelled"
    OTHER = "other"


class PromiseStatus(StrEnum):
    """What people see of a promise. Nothing that comes later hides a breach."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"
    OTHER = "other"


class ClockChange(BaseModel):
    """One thing that happened to one clock in one cycle; `due` is the deadline since then."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clock: Clock
    cycle: int = 1
    change: Annotated[Change, lenient(Change, Change.OTHER)]
    at: Moment
    due: Moment
    first_due: Moment
    started: Moment
    department: str | None = None
    reason: str | None = None
    """``priority``, ``category``, ``calendar``, ``reopened``, or words of a person."""
    in_time: bool | None = None
    """Of what was met: whether before its deadline."""
    working_seconds: int | None = None
    """Of what was met: working time from start to end without pauses."""
    cause: str | None = None
    """Of what was counted: the type of the event that it followed, without its version."""
    row: str | None = None
    """Of what was counted: the row of the policy that it was counted by."""
    calendar_version: int | None = None


class Promise(BaseModel):
    """The latest cycle of one clock as it is now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clock: Clock
    cycle: int = 1
    status: Annotated[PromiseStatus, lenient(PromiseStatus, PromiseStatus.OTHER)]
    due: Moment
    first_due: Moment
    started: Moment
    department: str | None = None
    reason: str | None = None
    """Why `due` is what it is, where a date was announced before."""
    paused: bool = False
    """Stands still, breached or not."""
    ended: Moment | None = None
    """When it was met or cancelled; none while it runs or stands still, breached or not."""
    in_time: bool | None = None
    """Of what was met: whether before its deadline."""


class SlaPromisesChanged(Event, type="sla.promises_changed.v1", owner="sla", shred=()):
    """Clocks of a case began, moved, paused or ended: `changes` in order, and all `promises` now.

    What one transaction does to a case is one event; `at` is the moment of its last change.
    """

    changes: tuple[ClockChange, ...]
    promises: tuple[Promise, ...]
    """One for each clock that ever ran, in the order of `Clock`."""
    priority: Priority
    policy_version: int = 1


class ClockEvent(Event):
    """An event about one clock of one case in one cycle."""

    clock: Clock
    cycle: int = 1
    due: Moment
    first_due: Moment
    department: str | None = None


class SlaWarned(ClockEvent, type="sla.warned.v1", owner="sla", shred=()):
    """`level` percent of the time is used up."""

    level: int


class SlaBreached(ClockEvent, type="sla.breached.v1", owner="sla", shred=()):
    """The deadline passed. Nothing later undoes this event."""


class EscalationRaised(ClockEvent, type="escalation.raised.v1", owner="sla", shred=()):
    """Somebody higher up should know; `to_role` is ``reviewer`` or ``leader``."""

    level: int
    to_role: str


class SlaSegmentEnded(Event, type="sla.segment_ended.v1", owner="sla", shred=()):
    """A department's time with the case is over (移交, 退回, 答复): how long it had it."""

    department: str
    part: bool = False
    """True for a second department that did its part."""
    started: Moment
    working_seconds: int
    """Working time in its hands, without the time it waited for somebody outside."""
    elapsed_seconds: int
    waiting_seconds: int = 0
    """Working time it waited for somebody outside or for the reporter."""


class QuietHoursSet(
    DirectoryFact, type="directory.quiet_hours.v1", owner="sla", topic=DIRECTORY, shred=()
):
    """Hours of every day, by the clock of the library, in which nobody is told that work is late.
    Over midnight where they end earlier than they start; none where both are the same."""

    policy_version: int
    starts: ClockTime
    """``21:00``."""
    ends: ClockTime
    p1_starts: ClockTime | None = None
    """Those of what is urgent (P1); None: it is told at any hour."""
    p1_ends: ClockTime | None = None

    @property
    def key(self) -> str:
        """There is one entry: the newest."""
        return "quiet_hours"


class PromisedTime(BaseModel):
    """How long something may take."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clock: Clock
    time: str
    """As the policy writes it: ``4h``, ``5wd``, ``30min 24x7``."""


class OrdinaryPromisesSet(
    DirectoryFact, type="directory.promises.v1", owner="sla", topic=DIRECTORY, shred=()
):
    """What is promised to whoever writes now, as far as nothing is known of the comment: the times
    of the row for ordinary ones (P3). A case's own promises may be others."""

    policy_version: int
    times: tuple[PromisedTime, ...]
    """A clock without a promise is left out."""

    def time_of(self, clock: str) -> str:
        """The time a clock has; empty for one that is not promised."""
        return next((one.time for one in self.times if one.clock == clock), "")

    @property
    def key(self) -> str:
        """There is one entry: the newest."""
        return "promises"


KeptPromises = dict[str, dict[str, Any]]
"""Clock → its `Promise` as JSON without the clock: how a reader keeps the promises of a case."""


def promises_after(kept: Mapping[str, dict[str, Any]], event: Event) -> KeptPromises:
    """The promises of a case after an event of sla."""
    if isinstance(event, SlaPromisesChanged):
        return {p.clock.value: _as_json(p) for p in event.promises}
    promises = dict(kept)
    if isinstance(event, SlaBreached):
        known = promises.get(event.clock)
        if known is not None and known["cycle"] == event.cycle:
            promises[event.clock] = known | {"status": PromiseStatus.BREACHED.value}
    return promises


def still_runs(kept: Mapping[str, Any]) -> bool:
    """Whether time passes for this promise, breached or not."""
    return not kept.get("ended") and not kept.get("paused")


def _as_json(promise: Promise) -> dict[str, Any]:
    return promise.model_dump(mode="json", exclude={"clock"}, exclude_none=True)
