"""A surge: more on one matter than chance brings at this time of term.

What is usual is learnt from this library alone: how much of all that comes is about the matter
(lately, in the last four weeks, and at this time a year ago), how much comes at this hour of the
week, and how much comes today about everything else. The rate of a matter is never known exactly,
and days differ: the number of cases is held against a Poisson distribution whose rate is itself
uncertain (a negative binomial), so that a matter nobody knows yet is no surge for being new.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.desk.domain.matter_words import BROAD, ELSEWHERE
from services.desk.domain.matters import Matter, matter_of
from services.desk.domain.search import fold
from shared.moments import LOCAL

LEAST = 5
"""Fewer are no surge, however rare the matter; nor are so many of fewer people."""
LEAST_AT_A_PLACE = 8
"""Of a place alone, where nothing they name is the same."""
WINDOWS = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), timedelta(days=1))
LOOK_BACK = (28, 7)
"""Days; what is usual is the most that one of them says, or this time a year ago."""
CHANCE = 1e-5
"""How improbable it has to be. A case is looked at under some five keys and four windows: sixty
cases a day make 40,000 looks a month, of which less than one may be mistaken."""
_A_WEEK, _NEW_HERE = 7.0, 1e-3
"""While less than a week is known of a library, it has to be so much less probable."""
SURE = dict(zip(WINDOWS, (9.0, 12.0, 12.0, 12.0), strict=True))
"""How much more has to speak for one thing being told than for nothing being so, see `weight_of`:
more in a longer window, in which a group is chosen among more. Chosen on letters and faults that
nothing is judged by."""
_OWN_WORDS = 0.013
"""Of those who tell one thing in words of their own half are nearer to the middle of four others
than all but this share of what ever came, with the model that is built in."""
LIKELY = dict(zip(WINDOWS, (1.0, 9.0, 9.0, 9.0), strict=True))
"""Odds from which on a case is one of a surge: in half an hour there is hardly anything else."""
_FEWEST = 0.3
"""Nowhere are fewer cases expected in a window."""
QUIET = timedelta(days=1)
"""For so long after a surge was dismissed, or its incident closed, its matter is none again."""
SAY_IT = 2
"""So many of those that are alike name a thing, and it is what they are about."""
SAY_IT_BROADLY = 3
"""The same of what much is said about."""
_BESIDE = 4
_ALARM = "alarm="
"""Begins what stands among the keys of a case for the emergency that it may be."""
FEW = 200
"""While fewer different texts are known, nobody can say how rarely anything is so near: only of
`LEAST` who name the same thing or place is it believed that they tell one."""
_KNOWN_BEFORE = 0.7
_LATELY = 2.0
"""So many cases what the longest stretch says weighs beside a shorter one."""
_ONE_OF = 150
"""Before anything is known of a matter: as if in so many cases times the first, so many were."""
_DAYS_DIFFER = 12.0
"""The rate of a matter differs from day to day by some 30 % of itself."""
_BY_HOUR = 8.0
"""Hours of the week are believed as far as this many cases would have been."""


@dataclass(frozen=True, slots=True)
class Past:
    """A stretch of the past: how much came, how much of it on the matter, and how much of that in
    the same part of the day as the window."""

    days: float
    total: int
    n: int
    at_this_hour: int


@dataclass(frozen=True, slots=True)
class Usual:
    """How many of the matter are usual in a window, and how sure that is: the shape of a gamma
    distribution with that mean."""

    mean: float
    shape: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A matter of which more came in `window` than is usual."""

    key: str
    window: timedelta
    n: int
    usual: float
    chance: float


def keys_of(text: str, place: str | None = None) -> frozenset[str]:
    """Under what a case is counted: each thing it names, with what is wrong with it, with the
    floor, and with the place; and the place alone."""
    said = matter_of(text)
    where = fold(place or "").strip()
    floors = said.floors or matter_of(where).floors
    return keys_of_matter(Matter(said.things, said.faults, floors), where)


def keys_of_matter(said: Matter, where: str) -> frozenset[str]:
    """The same of what was read already."""
    found = {f"place={where}"} if where else set()
    for thing in said.things:
        found.add(thing)
        found |= {f"{thing} fault={fault}" for fault in said.faults - {"ask"}}
        found |= {f"{thing} floor={floor}" for floor in said.floors}
        if where:
            found.add(f"{thing} place={where}")
    return frozenset(found)


def thing_of(key: str) -> str:
    """What a key is about: the thing, or the place where it is all that is known."""
    return key.split(" ", 1)[0] if not key.startswith("place=") else key


def _alarms(keys: Collection[str]) -> frozenset[str]:
    return frozenset(key for key in keys if key.startswith(_ALARM))


def _things(keys: Collection[str]) -> frozenset[str]:
    """The definite things among them: of a table or a card much is said that is not about it."""
    return frozenset(key for key in keys if " " not in key and "=" not in key) - BROAD


def with_alarm(keys: Collection[str], alarm: str | None) -> list[str]:
    """The keys of a case, and the emergency that it may be."""
    return [*keys, f"{_ALARM}{alarm}"] if alarm else list(keys)


def without_alarmed(alarms: Sequence[str | None]) -> list[bool]:
    """Which of the cases under one key are counted, each with the emergency that it may be: who
    fell beside a printer is none of those on printers, while a fire may be what all are about."""
    alarmed = sum(one is not None for one in alarms)
    return [one is None or 2 * alarmed >= len(alarms) for one in alarms]


def named_by(things: Collection[str], alarm: str | None) -> frozenset[str]:
    """What a case names: what may be an emergency is about nothing else."""
    return frozenset({f"{_ALARM}{alarm}"}) if alarm else frozenset(things)


def of_one_thing(named: Sequence[frozenset[str]], alone: Collection[str]) -> list[int]:
    """Which of some cases can be about one, by the things that each names: those that name what
    most of them do, and those that name nothing definite. Of as many, what the first names.

    In words of their own people name what is beside it, too: for each `_BESIDE` of these one is
    that names only things which are `alone`, named by nobody else.
    """
    definite = [one - BROAD for one in named]
    counts = Counter(thing for one in named for thing in one)

    def can_be(about: str) -> list[int]:
        return [n for n, one in enumerate(named) if not definite[n] or about in one]

    several = [t for t, n in counts.items() if n >= (SAY_IT_BROADLY if t in BROAD else SAY_IT)]
    if several:
        best = max(several, key=lambda one: (len(can_be(one)), one in named[0], counts[one], one))
        found = can_be(best)
    else:
        # One of those who name something is it at most.
        first = next((n for n, one in enumerate(definite) if one), None)
        found = [n for n, one in enumerate(definite) if not one or n == first]
    others = [n for n, one in enumerate(definite) if n not in found and one <= set(alone)]
    return sorted([*found, *others[: len(found) // _BESIDE]])


def _floors(keys: Collection[str]) -> frozenset[int]:
    where = (key.partition("place=")[2] for key in keys)
    said = {int(key.partition(" floor=")[2]) for key in keys if " floor=" in key}
    return frozenset(said.union(*(matter_of(one).floors for one in where)))


def another_thing(keys: Collection[str], others: Sequence[Collection[str]]) -> bool:
    """Whether a case with `keys` names a definite thing and none of what a surge is about, or
    another house, or may be an emergency and they are none. `others`: the keys of each case of the
    surge; what only one of several names is not what they are about.
    """
    if alarm := _alarms(keys):
        return sum(not alarm.isdisjoint(one) for one in others) < SAY_IT
    named = Counter(thing for one in others for thing in _things(one))
    several = {thing for thing, n in named.items() if n >= SAY_IT}
    about, mine = several or named.keys(), _things(keys)
    elsewhere = (mine & ELSEWHERE) - named.keys()
    return bool(elsewhere or (mine and about and not mine & about))


def names_it(key: str, keys: Collection[str], others: Sequence[Collection[str]]) -> bool:
    """Whether a case with `keys` says what a surge under `key` is about: the place, or a thing that
    several of its cases name. Where they name none, nobody can say it."""
    if (alarm := _alarms(keys)) and sum(not alarm.isdisjoint(one) for one in others) < SAY_IT:
        return False
    if key.startswith("place="):
        return key in keys
    named = Counter(
        thing for one in others for thing in one if " " not in thing and "=" not in thing
    )
    several = {thing for thing, n in named.items() if n >= SAY_IT}
    return not several or not several.isdisjoint(map(thing_of, keys))


def another_floor(keys: Collection[str], others: Sequence[Collection[str]]) -> bool:
    """Whether a case names a floor, and all of a surge that name one another."""
    named = Counter(floor for one in others for floor in _floors(one))
    mine = _floors(keys)
    return len(named) == 1 and named.total() >= SAY_IT and bool(mine) and not mine & named.keys()


def hour_of_week(moment: datetime) -> int:
    """Monday, 0 to 1 o'clock, is 0."""
    here = moment.astimezone(LOCAL)
    return here.weekday() * 24 + here.hour


def profile(by_hour: Sequence[int], weeks: float) -> tuple[float, ...]:
    """Cases expected in each hour of the week, of `by_hour` counted in so many weeks.

    An hour is believed as far as it was seen: the rest is what this hour brings on all days.
    """
    days = [sum(by_hour[day * 24 : day * 24 + 24]) for day in range(7)]
    hours = [sum(by_hour[hour::24]) for hour in range(24)]
    all_of_it = sum(days)
    if not all_of_it or weeks <= 0:
        return (0.0,) * 168
    found = []
    for slot in range(168):
        day, hour = divmod(slot, 24)
        general = days[day] * hours[hour] / all_of_it
        weight = general / (general + _BY_HOUR)
        found.append((weight * by_hour[slot] + (1 - weight) * general) / weeks)
    return tuple(found)


def expected_in(week: Sequence[float], since: datetime, until: datetime) -> float:
    """Cases that the profile expects between two moments, a day apart at most."""
    total, moment = 0.0, since
    while moment < until:
        nxt = min(until, (moment + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0))
        total += week[hour_of_week(moment)] * ((nxt - moment) / timedelta(hours=1))
        moment = nxt
    return total


def usual(window: timedelta, came: float, past: Sequence[Past]) -> Usual:
    """How many of a matter are usual, where `came` is how much is expected of everything: what the
    hour of the week brings or, if more, what came today besides.

    So a first day of term, or an exam week, in which everything is more, is no surge of anything.
    The first of `past` is the longest; what a shorter one says of itself is held against it.
    """
    found = Usual(0.0, _KNOWN_BEFORE)
    before, of = _KNOWN_BEFORE, _KNOWN_BEFORE * _ONE_OF
    for one in past:
        seen, share = before + one.n, (before + one.n) / (of + one.total)
        mean = came * share
        if one.days and window < timedelta(hours=12):
            # Of some matters people speak at their own hours: of closing time in the evening.
            mean = max(mean, (one.at_this_hour + 0.1) / one.days)
        if mean > found.mean:
            found = Usual(mean, 1 / (1 / seen + 1 / _DAYS_DIFFER))
        if one is past[0]:
            before, of = _LATELY, _LATELY / share
    return found


def chance_of(n: int, usual: Usual) -> float:
    """How probable `n` and more are where so many are usual."""
    if n <= 0:
        return 1.0
    if usual.mean <= 0:
        return 0.0
    mean, shape = usual.mean, usual.shape
    odds = mean / (mean + shape)
    log = (
        math.lgamma(n + shape)
        - math.lgamma(shape)
        - math.lgamma(n + 1)
        + shape * math.log1p(-odds)
        + n * math.log(odds)
    )
    term = total = math.exp(log)
    k = n
    while term > total * 1e-9 and k < n + 10_000:
        term *= odds * (k + shape) / (k + 1)
        k += 1
        total += term
    return min(1.0, total)


def odds_of(rarity: float, told: int, expected: float) -> float:
    """How much more probably a case is one of so many who tell one thing than one of those who are
    expected. `rarity`: which share of all that ever came is as near to the middle of the others.
    """
    return told * _OWN_WORDS / (rarity + _OWN_WORDS) ** 2 / max(expected, _FEWEST)


def weight_of(odds: Sequence[float]) -> float:
    """Natural logarithm of how much more probable all that came in a window is where so many tell
    one thing, each with its odds, than where nobody does: from `SURE` on it is a surge.

    That of a Poisson process which so many are added to; the weak say a little, too.
    """
    return sum(math.log1p(one) for one in odds) - len(odds)


def sure(window: timedelta, known: float) -> float:
    """The weight that is enough in a window, where so many days are known of a library."""
    return SURE[window] + (0.0 if known >= _A_WEEK else -math.log(_NEW_HERE))


def judge(key: str, window: timedelta, n: int, came: float, past: Sequence[Past]) -> Finding | None:
    """Whether `n` cases of one matter in `window` are a surge."""
    if n < (LEAST_AT_A_PLACE if key.startswith("place=") else LEAST):
        return None
    normal = usual(window, came, past)
    known = max((one.days for one in past), default=0.0)
    bound = CHANCE * (1.0 if known >= _A_WEEK else _NEW_HERE)
    if n <= normal.mean or (chance := chance_of(n, normal)) > bound:
        return None
    return Finding(key, window, n, round(normal.mean, 2), chance)
