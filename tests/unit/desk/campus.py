"""A second invented library, written without a look at how the first one (`terms.py`) or the bound
came about, to judge what was tuned on that one.

Its noise is of another kind. People write when lessons end, so that ten minutes hold what an hour
does elsewhere, and almost nobody at weekends. What they write about has its seasons: air in the
summer, seats before exams, leaving in June; each matter drifts from week to week. Some days nothing
is different but a mail to everybody, after which all write more; some evenings one person writes
six times about one thing. Matters are named together, as in life: a noisy printer in a hot room.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.desk.domain import surges
from services.desk.domain.matters import Matter
from tests.unit.desk.terms import Came, Term

MONDAY = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(hours=8)
LESSONS_END = (9 + 35 / 60, 11 + 50 / 60, 13 + 55 / 60, 15 + 50 / 60, 18.0, 20 + 25 / 60)
"""Hours of the day."""
AROUND_A_BREAK = 0.12
"""Hours; half of a working day's letters come so near to the end of a lesson."""
EXAMS = ((56, 63), (119, 133))
"""First and last day of the weeks in which everybody is there and cross."""
ROOMS = [f"{floor}层{room}室" for floor in range(1, 6) for room in ("01", "02", "03", "05", "08")]
FAULTS = {
    "air": ("hot", "cold", "broken"),
    "wifi": ("slow", "no_access"),
    "printer": ("jam", "broken", "empty"),
    "toilet": ("dirty", "empty", "broken"),
    "seats": ("few",),
    "lift": ("broken", "trapped"),
    "light": ("flicker", "dark", "broken"),
    "socket": ("power",),
}
_NAMES = """
noise air wifi seats hold_seat printer toilet opening borrow fine return_book database remote cnki
renew hold water light socket chair table locker gate account card self_check missing_book
damaged_book buy_book ill thesis lecture lost staff visitor leaving computer projector food smell
dirt study_room seat_booking catalogue website lift door window roof stairs insects praise canteen
"""
MATTERS = _NAMES.split()
IN_EXAMS = frozenset({"seats", "noise", "hold_seat", "opening", "seat_booking", "socket", "water"})


def _share(rng: random.Random, matter: str) -> float:
    """How much of all is about it: many of few, few of many."""
    return rng.paretovariate(1.1) * (2.0 if matter in IN_EXAMS else 1.0)


def _season(matter: str, day: int) -> float:
    if matter == "air":
        return 0.4 + 1.6 * max(0.0, math.sin(math.pi * (day - 60) / 120))
    if matter == "leaving":
        return 4.0 if 95 <= day < 125 else 0.3
    return 2.2 if matter in IN_EXAMS and _exams(day) else 1.0


def _exams(day: int) -> bool:
    return any(first <= day % 140 <= last for first, last in EXAMS)


def _hour(rng: random.Random, weekend: bool) -> float:
    if not weekend and rng.random() < 0.5:
        return rng.choice(LESSONS_END) + rng.expovariate(1 / AROUND_A_BREAK)
    # The rest of the day, more of it in the evening.
    return min(23.9, max(7.0, rng.triangular(7.0, 23.5, 19.0)))


def _keys(rng: random.Random, matters: tuple[str, ...], room: str = "") -> frozenset[str]:
    faults = {rng.choice(FAULTS[m]) for m in matters if m in FAULTS and rng.random() < 0.8}
    floors = frozenset({int(room[0])} if room else ())
    return surges.keys_of_matter(Matter(frozenset(matters), frozenset(faults), floors), room)


def _poisson(rng: random.Random, mean: float) -> int:
    found, at = 0, rng.expovariate(1.0)
    while at < mean:
        found, at = found + 1, at + rng.expovariate(1.0)
    return found


def months(
    seed: int,
    *,
    days: int = 140,
    a_day: float = 45.0,
    planted: bool = True,
    one_person: bool = True,
) -> Term:
    """So many days, from the first Monday of a term; surges begin after three weeks."""
    rng = random.Random(f"campus {seed}")
    shares = {matter: _share(rng, matter) for matter in MATTERS}
    drift = dict.fromkeys(MATTERS, 0.0)
    cases: list[Came] = []
    for day in range(days):
        start = MONDAY + timedelta(days=day)
        if day % 7 == 0:
            drift = {m: 0.7 * one + rng.gauss(0, 0.2) for m, one in drift.items()}
        weekend = day % 7 > 4
        told_all = rng.random() < 1 / 30
        much = 0.3 if weekend else 1.15
        much *= 1.7 if _exams(day) else 1.0
        much *= 2.5 if told_all else rng.gammavariate(16, 1 / 16)
        today = [shares[m] * _season(m, day) * math.exp(drift[m]) for m in MATTERS]
        for _ in range(_poisson(rng, a_day * much)):
            at = start + timedelta(hours=_hour(rng, weekend))
            (one,) = rng.choices(MATTERS, today)
            named = (one, rng.choice(MATTERS)) if rng.random() < 0.25 else (one,)
            room = rng.choice(ROOMS) if rng.random() < 0.4 else ""
            cases.append(Came(at, _keys(rng, named, room)))
        if one_person and rng.random() < 1 / 14:
            cases += _chatty(rng, start)
    if planted:
        cases += _planted(rng, days)
    cases.sort(key=lambda case: case.at)
    by_surge: dict[int, list[datetime]] = {}
    for case in cases:
        if case.planted is not None:
            by_surge.setdefault(case.planted, []).append(case.at)
    return Term(cases, {n: times[4] for n, times in by_surge.items() if len(times) > 4}, MONDAY)


def _chatty(rng: random.Random, start: datetime) -> Iterator[Came]:
    """One person, one evening, one thing: three letters to four, an hour or so."""
    matter, room = rng.choice(MATTERS), rng.choice(ROOMS)
    at = start + timedelta(hours=rng.uniform(18, 21))
    for _ in range(rng.randint(3, 4)):
        at += timedelta(minutes=rng.uniform(2, 30))
        yield Came(at, _keys(rng, (matter,), room))


def _planted(rng: random.Random, days: int) -> Iterator[Came]:
    """Every other day one, of three kinds; `n % 3` says which."""
    for n, day in enumerate(range(22, days - 1, 2)):
        start = MONDAY + timedelta(days=day)
        matter, room = rng.choice(MATTERS), rng.choice(ROOMS)
        if n % 3 == 0:
            # Something breaks, the lesson ends, all who come past write.
            at = start + timedelta(hours=rng.choice(LESSONS_END[:5]))
            times = [at + timedelta(minutes=rng.expovariate(1 / 12)) for _ in range(14)]
            keys = [_keys(rng, (matter,), room) for _ in times]
        elif n % 3 == 1:
            # The whole house, no place: one after another for two hours.
            at = start + timedelta(hours=rng.uniform(9, 20))
            times = [at + timedelta(minutes=rng.uniform(0, 90)) for _ in range(18)]
            keys = [_keys(rng, (matter,)) for _ in times]
        else:
            # An announcement in the morning: of one thing all day, of much else besides.
            at = start + timedelta(hours=9)
            times = [at + timedelta(hours=rng.betavariate(1, 2) * 12) for _ in range(32)]
            keys = [_keys(rng, (matter,), rng.choice((room, ""))) for _ in times]
        for moment, one in zip(times, keys, strict=True):
            yield Came(moment, one, planted=n)
