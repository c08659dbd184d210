"""The published promises: how long each clock may run, in which time, and who hears of it when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.sla.domain.book import LIBRARY, ROUND_THE_CLOCK, Calendars
from shared.contracts.vocabulary import CaseType, Clock, Priority, Role

WORKING_DAY = timedelta(hours=7.5)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "wd": WORKING_DAY}
_ALLOWANCE = re.compile(r"(\d{1,4}(?:\.\d{1,2})?) ?(min|h|wd)( 24x7)?")

OF_THE_LIBRARY = frozenset({Clock.TRIAGE, Clock.FOLLOW_UP, Clock.APPEAL})
"""Clocks that run in the single entrance's hours, not in the owning department's."""


class Allowance(NamedTuple):
    """How long something may take, and whether nights and holidays count."""

    amount: timedelta
    round_the_clock: bool = False


@lru_cache(maxsize=256)
def parse_allowance(text: str) -> Allowance:
    """`15min 24x7`, `4h`, `2.5wd` (a working day is 7.5 working hours)."""
    match = _ALLOWANCE.fullmatch(text)
    if not match or not float(match[1]):
        raise ValueError(f"not a duration: {text!r} (write 30min, 4h or 2wd, perhaps with 24x7)")
    if match[2] == "wd" and match[3]:
        raise ValueError(f"a working day cannot be counted round the clock: {text!r}")
    return Allowance(float(match[1]) * _UNITS[match[2]], bool(match[3]))


def _readable(text: str) -> str:
    parse_allowance(text)
    return text


Duration = Annotated[str, AfterValidator(_readable)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Escalation(_Frozen):
    """At this percentage of the time allowed, these people are told."""

    at: int = Field(gt=0, le=1000)
    to: Role


class Row(_Frozen):
    """One line of the policy table."""

    clocks: dict[Clock, Duration]
    progress_note: Duration | None = None
    escalate: tuple[Escalation, ...] = ()


class Policy(_Frozen):
    """One version of all promises. A case keeps the version it started with."""

    version: int
    rows: dict[str, Row]
    defaults: dict[Clock, Duration]
    reopened_percent: int = Field(default=50, gt=0, le=100)

    @model_validator(mode="after")
    def _every_priority_has_a_row(self) -> Self:
        if missing := [p.value for p in Priority if p.value not in self.rows]:
            raise ValueError(f"no row for {', '.join(missing)}")
        return self

    def row(self, priority: Priority, type: CaseType, *, proposal: bool = False) -> Row:
        """The row that applies. What is urgent stays urgent, also as a question or in praise."""
        name: str = priority.value
        if priority not in (Priority.P1, Priority.P2):
            if proposal and "proposal" in self.rows:
                name = "proposal"
            elif type.value in self.rows:
                name = type.value
        return self.rows[name]

    def allowance(self, row: Row, clock: Clock) -> Allowance | None:
        """The time a clock has, or None when this row does not promise it."""
        text = row.clocks.get(clock) or self.defaults.get(clock)
        if text is None and clock is Clock.NEXT_RESPONSE:
            text = row.clocks.get(Clock.FIRST_RESPONSE)
        return parse_allowance(text) if text else None


def calendar_name(clock: Clock, allowance: Allowance, department: str) -> str:
    """Whose working time a clock is counted in."""
    if allowance.round_the_clock:
        return ROUND_THE_CLOCK
    return LIBRARY if clock in OF_THE_LIBRARY else department


def due_times(
    policy: Policy,
    calendars: Calendars,
    *,
    priority: Priority,
    type: CaseType = CaseType.OTHER,
    at: datetime,
    department: str = LIBRARY,
    proposal: bool = False,
) -> dict[Clock, datetime]:
    """What would be promised: for each clock of the row, its end if it began at `at`."""
    row = policy.row(priority, type, proposal=proposal)
    due = {}
    for clock in Clock:
        if allowance := policy.allowance(row, clock):
            calendar = calendars.named(calendar_name(clock, allowance, department))
            due[clock] = calendar.add_working(at, allowance.amount)
    return due


def progress_due(
    policy: Policy,
    calendars: Calendars,
    row: Row,
    *,
    last: datetime,
    department: str = LIBRARY,
) -> datetime | None:
    """While others are waited for: when the reporter must next hear how it stands."""
    if row.progress_note is None:
        return None
    allowance = parse_allowance(row.progress_note)
    name = ROUND_THE_CLOCK if allowance.round_the_clock else department
    return calendars.named(name).add_working(last, allowance.amount)
