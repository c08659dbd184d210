"""An invented term: how much comes by hour, weekday and part of the term, on which matters, and the
surges planted into it. Nothing here knows how surges are found."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.desk.domain import surges
from services.desk.domain.matters import Matter

FIRST = datetime(2026, 2, 23, tzinfo=UTC) - timedelta(hours=8)
HOURS = (1, 1, 0, 0, 0, 0, 1, 3, 7, 8, 9, 8, 6, 6, 8, 9, 9, 8, 6, 7, 8, 8, 6, 3)
WEEKDAYS = (1.15, 1.1, 1.1, 1.05, 0.95, 0.7, 0.75)
PARTS = ((0, 1.5), (14, 1.0), (42, 0.25), (49, 1.0), (98, 1.8), (115, 0.4))
"""From which day of the term on how much comes: the first weeks, a week off, the exams."""
IN_EXAMS = ("seats", "noise", "hold_seat", "opening")
PLACES = [f"{floor}楼{part}区" for floor in range(1, 7) for part in "东西"]
FAULTS = ("broken", "slow", "dirty", "few", "hot", "cold")


@dataclass(frozen=True)
class Came:
    at: datetime
    keys: frozenset[str]
    planted: int | None = None


@dataclass
class Term:
    """Cases in order of time, and of each surge planted when its fifth case came."""

    cases: list[Came]
    fifths: dict[int, datetime] = field(default_factory=dict)
    first: datetime = FIRST


def _times(rng: random.Random, start: datetime, mean: float, over: float) -> list[datetime]:
    """A Poisson process: `mean` on average, over so many hours."""
    found, at = [], 0.0
    while (at := at + rng.expovariate(mean / over)) < over:
        found.append(start + timedelta(hours=at))
    return found


def _keys(rng: random.Random, thing: str, place: str | None = None) -> frozenset[str]:
    where = place or (rng.choice(PLACES) if rng.random() < 0.5 else "")
    faults = frozenset({rng.choice(FAULTS)} if rng.random() < 0.7 else ())
    floors = frozenset({int(where[0])} if where else ())
    return surges.keys_of_matter(Matter(frozenset({thing}), faults, floors), where)


def term(seed: int, *, days: int = 126, a_day: float = 50.0, planted: bool = True) -> Term:
    """A term of `days`; the surges begin when four weeks are known."""
    rng = random.Random(f"term {seed}")
    things = [*IN_EXAMS, *(f"thing {n}" for n in range(44))]
    rng.shuffle(things)
    weights = [1 / (rank + 3) for rank in range(len(things))]
    cases: list[Came] = []
    for day in range(days):
        part = next(level for first, level in reversed(PARTS) if day >= first)
        today = [
            w * rng.lognormvariate(0, 0.25) * (2.5 if part > 1.6 and t in IN_EXAMS else 1.0)
            for t, w in zip(things, weights, strict=True)
        ]
        scale = a_day * part * WEEKDAYS[day % 7] * rng.lognormvariate(0, 0.15)
        for hour, share in enumerate(HOURS):
            start = FIRST + timedelta(days=day, hours=hour)
            if not share:
                continue
            mean = scale * share / sum(HOURS) * sum(today) / sum(weights)
            for at in _times(rng, start, mean, 1.0):
                (thing,) = rng.choices(things, today)
                cases.append(Came(at, _keys(rng, thing)))
    if planted:
        cases += _planted(rng, days, things)
    cases.sort(key=lambda one: one.at)
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for one in cases:
        if one.planted is not None:
            found[one.planted].append(one.at)
    return Term(cases, {n: times[4] for n, times in found.items() if len(times) > 4})


def _planted(rng: random.Random, days: int, things: list[str]) -> list[Came]:
    found: list[Came] = []
    for n, day in enumerate(range(29, days - 1, 3)):
        hour = rng.choice((9, 10, 11, 14, 15, 19, 20))
        start = FIRST + timedelta(days=day, hours=hour, minutes=rng.randrange(60))
        if n % 3 == 2:
            # Over a day, of something that is hardly ever said: a form of it nobody has seen yet.
            thing, place = f"rare {n}", rng.choice(PLACES)
            times = _times(rng, start.replace(hour=1), 14, 11.0)
        else:
            # In one go: of anything, at one place, a case every two to three minutes.
            thing, place = rng.choice(things), rng.choice(PLACES)
            times = _times(rng, start, rng.uniform(12, 30), rng.uniform(0.5, 0.75))
        found += [Came(at, _keys(rng, thing, place), planted=n) for at in times]
    return found


class Library:
    """What a library that keeps its cases in lists knows of a matter: the counts of `Past`."""

    def __init__(self, first: datetime) -> None:
        self.first = first
        self.all: list[datetime] = []
        self.by_key: defaultdict[str, list[datetime]] = defaultdict(list)
        self.by_hour = [0] * 168
        self._week: tuple[float, ...] = (0.0,) * 168
        self._made = first

    def take(self, one: Came) -> None:
        self.all.append(one.at)
        self.by_hour[surges.hour_of_week(one.at)] += 1
        for key in one.keys:
            self.by_key[key].append(one.at)
        if one.at - self._made > timedelta(days=1):
            weeks = (one.at - self.first) / timedelta(days=7)
            self._week, self._made = surges.profile(self.by_hour, weeks), one.at

    def found(self, one: Came) -> list[surges.Finding]:
        """Surges that the case just taken makes."""
        return [
            finding
            for key in sorted(one.keys)
            for window in surges.WINDOWS
            if (finding := self._judged(key, window, one.at)) is not None
        ]

    def _judged(self, key: str, window: timedelta, now: datetime) -> surges.Finding | None:
        times = self.by_key[key]
        since = now - window
        n = len(times) - bisect_left(times, since)
        if n < surges.LEAST:
            return None
        others = len(self.all) - bisect_left(self.all, since) - n
        expected = surges.expected_in(self._week, since, now)
        past = [self._past(times, days, window, now) for days in surges.LOOK_BACK]
        return surges.judge(key, window, n, max(expected, others), past)

    def _past(
        self, times: list[datetime], days: int, window: timedelta, now: datetime
    ) -> surges.Past:
        until = now - timedelta(days=1)
        since = until - timedelta(days=days)
        known = min(float(days), max(0.0, (until - self.first) / timedelta(days=1)))
        low, high = bisect_left(times, since), bisect_left(times, until)
        day = timedelta(days=1)
        same = 0 if window >= day else sum((now - at) % day < window for at in times[low:high])
        total = bisect_left(self.all, until) - bisect_left(self.all, since)
        return surges.Past(known, total, high - low, same)
