"""What is behind a number: which cases, or which of the things that happened, it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.tracking.domain.board import Question
from services.tracking.domain.case import Case
from services.tracking.domain.counting import counts_of
from services.tracking.domain.measures import (
    COUNTS,
    DWELL,
    HANDS,
    MEASURES,
    RETURN_RATE,
    Counted,
    Found,
    Words,
)
from services.tracking.domain.periods import NOW, ONE_DAY, day_of, midnight
from services.tracking.domain.shape import age_bounds
from shared.contracts.vocabulary import OPEN

_RATES = MEASURES | {one.key: one for one in (RETURN_RATE, DWELL, HANDS)}
ALL_BUT = "~"
"""Begins a detail that names what is left out, separated by commas: the rest of a trend."""
_PRESENT = frozenset({"state", "open", "overdue", "at_risk", "late"})
_OF_MET = {
    Found.ACCEPT: "accepted",
    Found.FIRST_RESPONSE: "first_responses",
    Found.RESOLUTION: "closed",
}


@dataclass(frozen=True)
class Behind:
    """The sums that a number is: of a rate those that it rests on, with what counts marked."""

    key: str
    name: Words
    whole: tuple[str, ...]
    detail: str | None = None
    """Only what has this detail: a state, a channel, an outcome …"""
    part: tuple[str, str | None] | None = None
    """Of a rate: the sum, and its detail, that says how much a row counts towards it."""
    weight: float = 1.0

    @property
    def counted(self) -> list[tuple[str, Counted]]:
        """The sums, with where each is found."""
        return [(name, COUNTS[name]) for name in self.whole]

    @property
    def at_present(self) -> bool:
        """Whether it is a number of now, whatever period was asked for."""
        return all(counted.found is Found.OPEN for _, counted in self.counted)


def behind(key: str, detail: str | None) -> Behind:
    """What is behind a measure or a sum of that name; KeyError for any other."""
    key = _ALIASES.get(key, key)
    if (measure := _RATES.get(key)) is None:
        return Behind(key, COUNTS[key].name, (key,), detail)
    if measure.clock is not None:
        return Behind(key, measure.name, (_OF_MET[Found(measure.clock.value)],), detail)
    name, _, of = measure.part[0].partition(":")
    part = (name, of or None) if name in COUNTS else None
    return Behind(key, measure.name, measure.whole, detail, part, measure.weight)


_ALIASES = {"first_response": "first_response_hours"}
"""What links from elsewhere are called."""


def keys() -> set[str]:
    """Every number that leads to its cases."""
    return {*COUNTS, *_RATES, *_ALIASES}


def period_of(question: Question, name: str) -> tuple[datetime, datetime]:
    """The period in which what makes this sum happened: whole days, but for what came in."""
    if name == "received" and question.hourly:
        return question.first, question.last
    return question.first_day, question.end


def counts_for(case: Case, name: str, question: Question, detail: str | None) -> int:
    """How much a case adds to the sum `name` of this question; 0: it is none of them."""
    first, last = period_of(question, name)
    if name == "open":
        return int(case.state in OPEN)
    if name == "overdue" and _passed(case, question.now):
        return 1
    if name == "at_risk" and _passed(case, question.now):
        return 0
    if name == "due":
        day = midnight(date.fromisoformat(detail)) if detail else day_of(question.now)
        first, last, detail = day, day + ONE_DAY, None
        if _passed(case, question.now):
            return 0
    if name == "open_since" and detail is not None:
        since, last = age_bounds(question.now)[int(detail)]
        first, detail = since or NOW, None
    if name == "late":
        return int(late_at(case, question.end))
    found = 0
    for (measure, bucket, of), n in counts_of(case).items():
        if measure != name or not _is_meant(of, detail):
            continue
        if name in _PRESENT or first <= bucket < last:
            found += n
    return found


def _is_meant(of: str, detail: str | None) -> bool:
    """Whether `of` is the detail that is asked for: any, this one, or (`~a,b`) all but these."""
    if detail is None:
        return True
    if detail.startswith(ALL_BUT):
        return of not in detail.removeprefix(ALL_BUT).split(",")
    return of == detail


def late_at(case: Case, end: datetime) -> bool:
    """Whether it is open, and its promise to the reporter was broken before `end`, whatever new
    date it was given."""
    since = case.measured.get("late_since")
    return (
        case.state in OPEN
        and case.resolution_overdue
        and (since is None or datetime.fromisoformat(since) < end)
    )


def was_late_at(at: datetime, seconds: int, end: datetime) -> bool:
    """Whether what was no longer late at `at`, after so many `seconds`, was late at `end`."""
    return at >= end > at - timedelta(seconds=seconds)


def _passed(case: Case, now: datetime) -> bool:
    """A deadline has passed that is not marked; see `Unmarked`."""
    return case.due_at is not None and case.due_at <= now and not case.overdue
