"""The published promises: how long each clock may run, in which time, and who is warned when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.sla.domain.calendars import LIBRARY, ROUND_THE_CLOCK, Calendars
from shared.contracts.vocabulary import CaseType, Channel, Clock, Priority, Role

WORKING_DAY = timedelta(hours=7.5)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "wd": WORKING_DAY}
_ALLOWANCE = re.compile(r"(\d{1,4}(?:\.\d{1,2})?) ?(min|h|wd)( 24x7)?")

URGENT = frozenset({Priority.P1, Priority.P2})
DEFAULT_WARNING = 75
"""Percent of the time at which a warning comes where the row says nothing."""

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
        raise ValueError(
            f"“{text}”不是时长：请写 30min、4h 或 2wd，需要时后面加 24x7 | "
            f"not a duration: {text!r} (write 30min, 4h or 2wd, perhaps with 24x7)"
        )
    if match[2] == "wd" and match[3]:
        raise ValueError(
            f"工作日不能按 24 小时计：“{text}” | "
            f"a working day cannot be counted round the clock: {text!r}"
        )
    return Allowance(float(match[1]) * _UNITS[match[2]], bool(match[3]))


def _readable(text: str) -> str:
    parse_allowance(text)
    return text


Duration = Annotated[str, AfterValidator(_readable)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day at the library: `07:30`."""


class Night(_Frozen):
    """Hours of every day, over midnight where they end earlier than they start; none where both are
    the same."""

    starts: ClockTime
    ends: ClockTime

    @property
    def is_none(self) -> bool:
        """No hours at all."""
        return self.starts == self.ends


class QuietHours(Night):
    """When nobody is told that work is late: at night nobody can do anything about it."""

    starts: ClockTime = "21:00"
    ends: ClockTime = "07:30"
    p1: Night | None = None
    """Those of what is urgent (P1); None: it is told at any hour."""


class Escalation(_Frozen):
    """At this percentage of the time allowed, these people are warned."""

    at: int = Field(gt=0, le=1000)
    to: Role


class Conditions(_Frozen):
    """What a case must be for a row to be meant for it: one of each that is named."""

    department: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    channel: tuple[Channel, ...] = ()
    type: tuple[CaseType, ...] = ()
    priority: tuple[Priority, ...] = ()


DIMENSIONS = tuple(Conditions.model_fields)
"""What a row may depend on. Of two rows that name equally many, the one that names what comes
first here is the more specific."""


class Row(_Frozen):
    """One line of the policy table."""

    clocks: dict[Clock, Duration]
    progress_note: Duration | None = None
    escalate: tuple[Escalation, ...] = ()
    warn: tuple[Annotated[int, Field(gt=0, lt=100)], ...] | None = None
    """At these percentages whoever works on it is warned; None: as `warned_at` says."""
    when: Conditions | None = None
    """Which cases it is for; None: those that its name says, as `conditions_of` reads it."""

    @property
    def warned_at(self) -> tuple[int, ...]:
        """The percentages of the warnings: those named, else where somebody higher up hears of it
        before the end, else `DEFAULT_WARNING`, so that nobody is surprised by a deadline."""
        if self.warn is not None:
            return self.warn
        return tuple(e.at for e in self.escalate if e.at < 100) or (DEFAULT_WARNING,)


_CHOICES = 4096


class Policy(_Frozen):
    """One version of all promises. A case keeps the version it started with."""

    version: int
    rows: dict[str, Row]
    defaults: dict[Clock, Duration]
    reopened_percent: int = Field(default=50, gt=0, le=100)
    quiet: QuietHours = QuietHours()
    """They count from their publication on, for every case: they move no promise."""

    @model_validator(mode="after")
    def _every_priority_has_a_row(self) -> Self:
        if missing := [p.value for p in Priority if p.value not in self.rows]:
            raise ValueError(f"缺少这些行：{'、'.join(missing)} | no row for {', '.join(missing)}")
        if narrow := [p.value for p in Priority if self.rows[p.value].when is not None]:
            raise ValueError(
                f"{'、'.join(narrow)} 这一行是整个优先级的，不能再选条件 | "
                f"{', '.join(narrow)}: the row of a priority is for all of it"
            )
        return self

    @cached_property
    def by_specificity(self) -> tuple[tuple[str, Row, dict[str, tuple[str, ...]]], ...]:
        """``(name, row, what it asks for by dimension)``, the most specific row first."""
        found = []
        for name, row in self.rows.items():
            conditions = conditions_of(name, row.when)
            asked = {d: getattr(conditions, d, ()) for d in DIMENSIONS}
            if asked := {d: values for d, values in asked.items() if values}:
                # By its name, too: rows come out of the database in no order.
                rank = (len(asked), tuple(d in asked for d in DIMENSIONS), name)
                found.append((rank, (name, row, asked)))
        return tuple(entry for _, entry in sorted(found, key=lambda f: f[0], reverse=True))

    @cached_property
    def chosen(self) -> dict[Subject, Choice]:
        """What `choose_row` has answered: there are few kinds of cases, and it is asked often."""
        return {}

    def row(self, priority: Priority, type: CaseType, *, proposal: bool = False) -> Row:
        """The row that applies to what is known of no more than this."""
        return choose_row(self, Subject(priority, type, proposal=proposal)).row

    def allowance(self, row: Row, clock: Clock) -> Allowance | None:
        """The time a clock has, or None when this row does not promise it."""
        text = self.duration(row, clock)
        return parse_allowance(text) if text else None

    def duration(self, row: Row, clock: Clock) -> str | None:
        """The same as it is written."""
        text = row.clocks.get(clock) or self.defaults.get(clock)
        if text is None and clock is Clock.NEXT_RESPONSE:
            text = row.clocks.get(Clock.FIRST_RESPONSE)
        return text


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row may depend on, of one case."""

    priority: Priority
    type: CaseType = CaseType.OTHER
    department: str = LIBRARY
    category: str = ""
    channel: Channel = Channel.OTHER
    group: str = ""
    proposal: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The row that applies to a case, and what of the case it was chosen for."""

    name: str
    row: Row
    because: tuple[tuple[str, str], ...]
    """``(dimension, value)`` of everything the row asks for."""


def conditions_of(name: str, when: Conditions | None) -> Conditions | None:
    """Which cases a row of that name is for; None: for none, its name says nothing."""
    if when is not None:
        return when
    if name in Priority._value2member_map_:
        return Conditions(priority=(Priority(name),))
    if name == Channel.PROPOSAL:
        return Conditions(channel=(Channel.PROPOSAL,))
    return Conditions(type=(CaseType(name),)) if name in CaseType._value2member_map_ else None


def choose_row(policy: Policy, subject: Subject) -> Choice:
    """The row that applies: of those a case meets all conditions of, the most specific.

    What is urgent stays urgent, also as a question or in praise: such a case has only rows that
    name its priority. Every policy has a row for each priority, so that one always applies.
    """
    chosen = policy.chosen.get(subject)
    if chosen is None:
        if len(policy.chosen) >= _CHOICES:
            policy.chosen.clear()
        chosen = policy.chosen[subject] = _choose(policy, subject)
    return chosen


def _choose(policy: Policy, subject: Subject) -> Choice:
    channel = Channel.PROPOSAL if subject.proposal else subject.channel
    found = {d: getattr(subject, d) for d in DIMENSIONS} | {"channel": channel}
    urgent = subject.priority in URGENT
    for name, row, asked in policy.by_specificity:
        if urgent and "priority" not in asked:
            continue
        if all(found[d] in values for d, values in asked.items()):
            return Choice(name, row, tuple((d, str(found[d])) for d in asked))
    raise AssertionError("a policy has a row for every priority")


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
    category: str = "",
    channel: Channel = Channel.OTHER,
    group: str = "",
) -> dict[Clock, datetime]:
    """What would be promised: for each clock of the row, its end if it began at `at`."""
    subject = Subject(priority, type, department, category, channel, group, proposal)
    row = choose_row(policy, subject).row
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
    """While others are waited for: when the reporter must next learn how it stands."""
    if row.progress_note is None:
        return None
    allowance = parse_allowance(row.progress_note)
    name = ROUND_THE_CLOCK if allowance.round_the_clock else department
    return calendars.named(name).add_working(last, allowance.amount)
