"""Why a deadline is what it is: what was counted, day by day, and what moved it since.

Nothing is kept for this. A clock is what its row says, and what happened to it stands in the
events that sla emitted; the days are counted once more by the calendar of that time, and whether
they come to the same is part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.sla.domain.calendars import (
    LIBRARY,
    ROUND_THE_CLOCK,
    CalendarDefinition,
    Calendars,
    DayNote,
    NoteKind,
)
from services.sla.domain.case_clocks import CaseClocks
from services.sla.domain.clocks import Timer
from services.sla.domain.policy import Choice, Policy, choose_row, conditions_of
from services.sla.domain.working_time import ZERO, OutsideCalendar, Windows
from shared.contracts.sla import Change, ClockChange
from shared.contracts.vocabulary import Clock
from shared.moments import LOCAL, here

MOST_DAYS = 400
"""Longer promises are shown as far as this."""
_ALL_DAY: Windows = ((time(0), time(0)),)
_BY_RULE = ("priority", "category", "calendar", "reopened")
"""Reasons of changes that are no words of a person."""


@dataclass(frozen=True, slots=True)
class Span:
    """Working time of one day that lies between start and deadline."""

    start: datetime
    end: datetime
    stood_still: bool = False

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Day:
    """One day on the way; without spans nothing was counted, and the note says why."""

    date: date
    note: DayNote
    spans: tuple[Span, ...]

    @property
    def counted(self) -> timedelta:
        """Working time of the day, that which stood still included."""
        return sum((span.length for span in self.spans), ZERO)


@dataclass(frozen=True, slots=True)
class Move:
    """The deadline became another one. `kind`: ``named`` (an extension, or a new date after a
    breach), ``calendar``, ``priority``, ``category``, ``reopened`` or ``resumed``; `words` are
    a person's."""

    at: datetime
    was: datetime
    due: datetime
    kind: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class StoodStill:
    """A time in which the clock waited; still does, while there is no `end`."""

    start: datetime
    end: datetime | None
    counted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a clock's deadline came about: ``promised + added + stood_still`` is what all days
    together have, unless `named` (then the date itself was promised)."""

    timer: Timer
    cause: str
    """Type of the event it began with, as far as is known."""
    policy_version: int
    choice: Choice
    calendar_version: int
    provisional: bool
    days: tuple[Day, ...]
    pauses: tuple[StoodStill, ...]
    moves: tuple[Move, ...]
    promised: timedelta
    added: timedelta
    stood_still: timedelta
    named: bool
    adds_up: bool
    """Counted once more, it comes to the same deadline."""

    @property
    def counted(self) -> timedelta:
        """Working time from start to deadline."""
        return sum((day.counted for day in self.days), ZERO)

    @property
    def pauses_to_tell(self) -> list[StoodStill]:
        """Without those that nobody would notice: times are told to the minute."""
        return [one for one in self.pauses if one.end is None or one.counted >= _MINUTE]

    @property
    def moves_to_tell(self) -> list[Move]:
        """The same of moves."""
        return [one for one in self.moves if abs(one.due - one.was) >= _MINUTE]


def explain(
    case: CaseClocks,
    timer: Timer,
    changes: Sequence[ClockChange],
    *,
    policy: Policy,
    calendars: Mapping[int, Calendars],
    version: int,
) -> Explanation:
    """Explain a clock by the changes of it that were emitted, in order.

    `calendars` are versions at hand, among them `version`, which counts where the changes name
    none, and those that `versions_of` asks for.
    """
    mine = changes_of(timer, changes)
    moves = _moves(mine)
    noted = next((c.calendar_version for c in reversed(mine) if c.calendar_version), version)
    at_hand = [calendars[v] for v in dict.fromkeys((noted, version)) if v in calendars]
    # Counted anew by a later calendar a deadline may have stayed what it was, unnoted.
    counted_by = next((d for d in at_hand if _by_days(timer, d) == timer.due), at_hand[0])
    by_days = _by_days(timer, counted_by)
    definition = counted_by.definition
    said = [m for m in moves if m.kind == "named"]
    # From before named dates were kept as such.
    named = timer.named_due == timer.due or (
        timer.due != by_days and any(m.due == timer.due for m in said[-1:])
    )
    return Explanation(
        timer=timer,
        cause=_cause(case, timer, mine),
        policy_version=case.policy_version,
        choice=_choice(case, timer, mine, policy),
        calendar_version=definition.version,
        provisional=timer.calendar != ROUND_THE_CLOCK
        and definition.is_provisional(here(timer.due).date()),
        days=tuple(_days(timer, definition)),
        pauses=tuple(_pauses(timer)),
        moves=tuple(moves),
        promised=timer.budget,
        added=timer.extended,
        stood_still=timer.paused,
        named=named,
        adds_up=named or by_days == timer.due,
    )


def _by_days(timer: Timer, calendars: Calendars) -> datetime | None:
    """The deadline, counted once more; None where no calendar reaches it."""
    whole = timer.budget + timer.extended + timer.paused
    try:
        working = calendars.named(timer.calendar)
        return working.add_working(timer.started_at, max(ZERO, whole))
    except OutsideCalendar:
        return None


def changes_of(timer: Timer, changes: Sequence[ClockChange]) -> list[ClockChange]:
    """Those of one clock in one cycle."""
    return [c for c in changes if (c.clock, c.cycle) == (timer.clock, timer.cycle)]


def versions_of(timer: Timer, changes: Sequence[ClockChange]) -> set[int]:
    """The calendars that the deadline was counted by."""
    return {c.calendar_version for c in changes_of(timer, changes) if c.calendar_version}


def may_see(case: CaseClocks, department: str | None) -> bool:
    """Whether a department has or had a part in it."""
    return bool(department) and department in {
        case.department,
        *(s.department for s in case.segments),
    }


_MINUTE = timedelta(minutes=1)
_FROM_RECEIPT = (Clock.TRIAGE, Clock.FIRST_RESPONSE, Clock.RESOLUTION)


def _cause(case: CaseClocks, timer: Timer, changes: Sequence[ClockChange]) -> str:
    """What it began with. A first date that routing worked out anew began with the receipt."""
    if timer.clock in _FROM_RECEIPT and timer.started_at == case.received_at:
        return "feedback.received"
    return next((c.cause for c in changes if c.change is Change.PROMISED and c.cause), "")


def _choice(
    case: CaseClocks, timer: Timer, changes: Sequence[ClockChange], policy: Policy
) -> Choice:
    """The row that the deadline was counted by; where nobody noted it, the one that is it now."""
    now = choose_row(policy, case.subject(timer.department))
    name = next((c.row for c in reversed(changes) if c.row), now.name)
    row = policy.rows.get(name)
    if row is None or name == now.name:
        return now
    asked = conditions_of(name, row.when)
    because = () if asked is None else tuple((d, str(v)) for d, vs in asked for v in vs[:1])
    return Choice(name, row, because)


def _moves(changes: Sequence[ClockChange]) -> list[Move]:
    due: datetime | None = None
    moves: list[Move] = []
    for change in changes:
        if change.change is Change.PROMISED:
            # Before it was announced a date was worked out, not moved.
            moves.clear()
            due = change.due
        elif due is not None and change.due != due:
            moves.append(Move(change.at, due, change.due, *_kind(change)))
            due = change.due
    return moves


def _kind(change: ClockChange) -> tuple[str, str]:
    reason = change.reason or ""
    if change.change is not Change.MOVED:
        # What ends a clock that stands still lets it run again first.
        return "resumed", ""
    if reason in _BY_RULE:
        return reason, ""
    return ("calendar" if change.cause == "calendar" else "named"), reason


def _pauses(timer: Timer) -> Iterator[StoodStill]:
    for pause in timer.pauses:
        yield StoodStill(pause.start, pause.end, pause.amount)
    if timer.is_open and timer.paused_at is not None:
        yield StoodStill(timer.paused_at, None, ZERO)


def _days(timer: Timer, definition: CalendarDefinition) -> Iterator[Day]:
    start, end = timer.started_at.astimezone(UTC), timer.due.astimezone(UTC)
    day, last = here(start).date(), here(end).date()
    unit = timer.calendar if timer.calendar in definition.departments else LIBRARY
    for _ in range(MOST_DAYS):
        if day > last:
            return
        if timer.calendar == ROUND_THE_CLOCK:
            windows, note = _ALL_DAY, DayNote(NoteKind.ROUND_THE_CLOCK)
        else:
            windows, note = definition.hours_on(day, unit), definition.note_on(day, unit)
        spans = [
            span
            for opens, closes in _moments(day, windows)
            if max(opens, start) < min(closes, end)
            for span in _split(max(opens, start), min(closes, end), timer)
        ]
        yield Day(day, note, tuple(spans))
        day += timedelta(days=1)


def _moments(day: date, windows: Windows) -> Iterator[tuple[datetime, datetime]]:
    for opens, closes in windows:
        until = day + timedelta(days=1) if closes == time(0) else day
        yield (
            datetime.combine(day, opens, LOCAL).astimezone(UTC),
            datetime.combine(until, closes, LOCAL).astimezone(UTC),
        )


def _split(start: datetime, end: datetime, timer: Timer) -> Iterator[Span]:
    """One window, in pieces that ran and pieces that stood still."""
    at = start
    for pause in timer.pauses:
        begins, ends = max(pause.start, at), min(pause.end, end)
        if begins < ends:
            if at < begins:
                yield Span(at, begins)
            yield Span(begins, ends, stood_still=True)
            at = ends
    if at < end:
        yield Span(at, end)
