"""A library's past under a policy: what each case was owed, whether it was kept, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.sla.domain.calendars import LIBRARY
from services.sla.domain.case_clocks import Rules
from services.sla.domain.past_columns import Column
from services.sla.domain.past_dates import When
from services.sla.domain.policy import Choice, Policy, Subject, calendar_name, choose_row
from services.sla.domain.working_time import OutsideCalendar
from shared.contracts.vocabulary import Clock, Priority


class Standing(StrEnum):
    """How a promise ended, or stands."""

    ON_TIME = "on time"
    OVERDUE = "overdue"
    OPEN = "open"
    OPEN_OVERDUE = "open overdue"


class Why(StrEnum):
    """Where a due time comes from."""

    DUE_COLUMN = "due column"
    POLICY = "policy"
    NOT_PROMISED = "not promised"
    UNKNOWN = "unknown"


class Odd(StrEnum):
    """What is wrong with a row; it is judged nevertheless, as far as it can be."""

    NO_RECEIVED = "no received date"
    UNREADABLE = "unreadable date"
    RESPONDED_BEFORE = "responded before received"
    CLOSED_BEFORE = "closed before received"
    DUE_BEFORE = "due before received"
    IN_FUTURE = "after now"
    BEYOND = "no calendar reaches it"
    PRIORITY = "unknown priority"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCase:
    """What a row says."""

    received: When | None
    responded: When | None = None
    closed: When | None = None
    due: When | None = None
    department: str = ""
    priority: Priority = Priority.P3
    separate: bool = False
    """There are two columns: the first answer need not be the end."""
    unreadable: Collection[Column] = ()
    """Where something stands that is no date: what is unknown is not what is missing."""


@dataclass(frozen=True, slots=True)
class Promised:
    """One promise of a past case."""

    why: Why
    due: When | None = None
    standing: Standing | None = None


@dataclass(slots=True)
class Judged:
    """One past case, judged."""

    first_response: Promised
    resolution: Promised
    odd: list[Odd] = field(default_factory=list)
    elapsed: timedelta | None = None
    """From receipt to the first answer; None where either is missing, or the order is wrong."""
    worked: timedelta | None = None
    resolved_in: timedelta | None = None
    """From receipt to the end."""
    resolved_working: timedelta | None = None

    @property
    def standing(self) -> Standing | None:
        """Of the case: its resolution, or the first answer where only that was promised."""
        return self.main.standing

    @property
    def main(self) -> Promised:
        """The promise by which the case is judged."""
        only_first = self.resolution.why is Why.NOT_PROMISED
        return self.first_response if only_first else self.resolution


def judge(case: PastCase, rules: Rules, *, now: datetime) -> Judged:
    """Hold a past case against its own due date, or else against the policy."""
    responded = case.responded or (None if case.separate else case.closed)
    closed = case.closed or (None if case.separate else case.responded)
    judged = Judged(Promised(Why.UNKNOWN), Promised(Why.UNKNOWN), _odd(case, now))
    answered, ended = _is_known(case, Column.RESPONDED), _is_known(case, Column.CLOSED)
    if case.due is not None and ended:
        standing = compare(case.due, closed, now=now)
        judged.resolution = Promised(Why.DUE_COLUMN, case.due, standing)
    if case.received is None:
        judged.odd.append(Odd.NO_RECEIVED)
        return judged
    try:
        # A date of its own that cannot be read: the policy is not what this case was promised.
        if case.due is None and Column.DUE not in case.unreadable:
            if answered:
                judged.first_response = _owed(case, Clock.FIRST_RESPONSE, responded, rules, now)
            if ended:
                judged.resolution = _owed(case, Clock.RESOLUTION, closed, rules, now)
        judged.elapsed, judged.worked = _spans(case, responded, rules)
        judged.resolved_in, judged.resolved_working = _spans(case, closed, rules)
    except OutsideCalendar:
        judged.odd.append(Odd.BEYOND)
    return judged


def _is_known(case: PastCase, column: Column) -> bool:
    """Whether that moment is a date or did not come; one column of answers is both."""
    both = (Column.RESPONDED, Column.CLOSED)
    return not any(c in case.unreadable for c in ((column,) if case.separate else both))


def row_of(case: PastCase, policy: Policy) -> Choice:
    """The row of the policy that is meant for such a case."""
    return choose_row(policy, Subject(case.priority, department=case.department))


def compare(due: When, end: When | None, *, now: datetime) -> Standing:
    """On the day that was due is in time, and so is the due moment itself."""
    if end is not None:
        return Standing.OVERDUE if end.after(due) else Standing.ON_TIME
    late = now >= due.end if due.day else now > due.at
    return Standing.OPEN_OVERDUE if late else Standing.OPEN


def _owed(case: PastCase, clock: Clock, end: When | None, rules: Rules, now: datetime) -> Promised:
    assert case.received is not None
    allowance = rules.policy.allowance(row_of(case, rules.policy).row, clock)
    if allowance is None:
        return Promised(Why.NOT_PROMISED)
    working = rules.calendars.named(calendar_name(clock, allowance, case.department or LIBRARY))
    due = When(working.add_working(case.received.at, allowance.amount))
    return Promised(Why.POLICY, due, compare(due, end, now=now))


def _spans(
    case: PastCase, end: When | None, rules: Rules
) -> tuple[timedelta | None, timedelta | None]:
    received = case.received
    if received is None or end is None or received.after(end):
        return None, None
    # An answer of the same day whose hour is not known came after the receipt.
    until = max(received.at, end.at)
    working = rules.calendars.named(case.department or LIBRARY)
    return until - received.at, working.working_between(received.at, until)


def _odd(case: PastCase, now: datetime) -> list[Odd]:
    found = []
    received = case.received
    if received is not None:
        for name, at in (
            (Odd.RESPONDED_BEFORE, case.responded),
            (Odd.CLOSED_BEFORE, case.closed),
            (Odd.DUE_BEFORE, case.due),
        ):
            if at is not None and received.after(at):
                found.append(name)
    if any(w is not None and w.at > now for w in (received, case.responded, case.closed)):
        found.append(Odd.IN_FUTURE)
    return found


_PRIORITIES = {
    Priority.P1: "p1 1 特急 紧急 最高 critical emergency immediate blocker",
    Priority.P2: "p2 2 加急 高 较高 重要 急 urgent high major",
    Priority.P3: "p3 3 普通 一般 中 正常 normal medium standard default",
    Priority.P4: "p4 4 低 较低 不急 low minor trivial",
}
_BY_WORD = {word: p for p, words in _PRIORITIES.items() for word in words.split()}


def priority_of(text: str) -> Priority | None:
    """`P2`, `2`, 加急, `high`; None for a word that says nothing here."""
    word = text.strip().casefold()
    return Priority.P3 if not word else _BY_WORD.get(word.removesuffix(".0"))
