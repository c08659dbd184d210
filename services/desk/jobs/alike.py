"""Which cases are one matter, by what they mean or by their words.

All complaints are near each other, and those of one language nearer. What five people say of one
thing in words of their own is hardly nearer, one by one, than chance brings; together they are: who
is a little near to each of four others is nearer to their middle than most of what ever came. So a
group is grown around a case, each time by whoever is nearest to the middle of it, and of each it is
asked which share of the past is as near to the middle of the others. What is always said is near to
what is said today, too, and makes no surge.

Vectors are taken from the mean of their language. Naming the same things at the same place counts
beside them. Where there is no vector, words alone are compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.desk.domain.matter_words import BROAD
from services.desk.domain.matters import Matter, apart, matter_of
from services.desk.domain.search import fold
from services.desk.domain.similar import ALIKE, CLOSE, features, likeness
from services.desk.domain.surges import (
    FEW,
    LEAST,
    LIKELY,
    WINDOWS,
    named_by,
    odds_of,
    of_one_thing,
    weight_of,
)
from services.desk.jobs.grouping import from_mean
from services.desk.store.surges import Said
from shared.greetings import says_nothing

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_\u3400-\u9fff]{2,}")
_LEAST = 4
"""Chinese characters, a word counting for two, that mean something beside what the table knows."""
_THINGS, _PLACE = 0.3, 0.2
"""How much it counts beside the cosine of two vectors that two name the same."""
_BROAD = 0.4
ENOUGH = 40
"""So many vectors of a language have a mean; before, words alone are compared."""
_MOST = 12
"""So many make the middle of a group at the most."""
_NEAR = 0.1
"""Who is not among this share of the past, the nearest, is about something else."""
_NEAR_BUT_OTHER = 0.05
"""The same of those who name something, and nothing that the others name."""
_MIDDLES = 40
"""Of more whose words are alike so many are tried as their middle: in a flood all are as good."""
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Reals = NDArray[np.float32]


@dataclass(frozen=True)
class Told:
    """Cases that are probably of one matter."""

    cases: list[Said]
    weight: float
    """See `domain.surges.weight_of`."""
    usual: float
    """How many are expected to be as near as they are."""


class Alike:
    """Cases of a stretch of time, in any order; made once for all that are asked about."""

    def __init__(self, cases: Sequence[Said]) -> None:
        self._cases = cases
        # Of each language the own mean: what an English text is near first is English.
        self._native = np.array([bool(_CHINESE.search(one.text)) for one in cases], bool)
        meant = from_mean([one.vector for one in cases], self._native.tolist(), ENOUGH)
        # Vectors of next to nothing are near those of everything.
        meant[[n for n, one in enumerate(cases) if _says_nothing(_text(one))]] = 0
        self._gone: Mask = np.array([one.elsewhere for one in cases], bool)
        self._is_meant: Mask = np.any(meant, axis=1).astype(bool)
        self._matters = [matter(one) for one in cases]
        self._features = np.hstack([meant, _things(self._matters)]).astype(np.float32)
        places: dict[str, int] = {}
        self._place = np.array([places.setdefault(_place(one), len(places)) for one in cases], int)
        self._no_place = places.get("", -1)
        self._row = {one.feedback_id: n for n, one in enumerate(cases)}
        self._at = np.array([one.at.timestamp() for one in cases])
        # What is said again and again is compared once.
        said: dict[str, int] = {}
        self._said = np.array([said.setdefault(_text(one), len(said)) for one in cases], dtype=int)
        self._texts = list(said)
        self._columns: dict[int, Reals] = {}
        self._different: dict[tuple[int, int], bool] = {}
        self._same: dict[tuple[int, int, bool], bool] = {}

    def is_meant(self, feedback_id: str) -> bool:
        """Whether it has a vector that says something; else its words are compared."""
        row = self._row.get(feedback_id)
        return row is not None and bool(self._is_meant[row])

    def told(
        self,
        feedback_id: str,
        window: timedelta,
        expected: float,
        *,
        without: Collection[str] = (),
    ) -> Told | None:
        """Those of the window before this case that are probably of one matter with it, where with
        it they are `LEAST`; None where they are not.

        `expected`: how many come then of anything. Those `without` which it is asked are left out.
        """
        asked = self._row[feedback_id]
        counted = self._lately(asked, window, without) & self._is_meant & ~self._gone
        lately = np.flatnonzero(counted)
        lately = lately[~self._elsewhere(asked, lately)]
        if len(lately) < LEAST or self._gone[asked]:
            return None
        past = self._before(asked)
        few = len(np.unique(self._said[past])) < FEW
        rows = np.concatenate([past, lately])
        named = Counter(thing for n in lately.tolist() for thing in self._named(n))
        alone = {thing for thing, n in named.items() if n == 1}
        best: Told | None = None
        for group, near in self._grown(asked, rows, len(past)):
            about = of_one_thing([self._named(n) for n in rows[group].tolist()], alone)
            if len(about) < LEAST or about[0] != 0 or (few and not self._agree(rows[group][about])):
                continue
            n_apart = len(group) - len(about)
            group, near = [group[n] for n in about], near[about]
            among = rows[group]
            # Of each how near it is to the middle of the others.
            others = near.sum(axis=0) - near
            own = others[np.arange(len(group)), group]
            rarity = self._rarity(others[:, : len(past)], own, past, among)
            # As if nothing had come besides: most groups are none even so.
            odds = [odds_of(one, len(group), expected) for one in rarity.tolist()]
            if odds[0] < LIKELY[window] or sum(one >= LIKELY[window] for one in odds) < LEAST:
                continue
            middle = near.mean(axis=0)
            level = np.quantile(middle[: len(past)], 1 - _NEAR) if len(past) else 0.0
            besides = n_apart + np.count_nonzero(middle[len(past) :] < level) / (1 - _NEAR)
            usual = max(expected, besides)
            odds = [odds_of(one, len(group), usual) for one in rarity.tolist()]
            of_it = np.array(odds) >= LIKELY[window]
            weight = weight_of(odds)
            reach = np.array([self._reach(n, among) for n in among.tolist()])
            its = of_it & (rarity <= reach)
            if its.sum() < LEAST:
                # Of one fault people name what is beside it, too.
                its = of_it & (rarity <= np.maximum(reach, _NEAR))
            if its.sum() >= LEAST and of_it[0] and (best is None or weight > best.weight):
                cases = [self._cases[n] for n in among[its].tolist()]
                cases.sort(key=lambda one: (one.at, one.feedback_id))
                best = Told(cases, weight, usual * float(rarity[its].max()))
        return best

    def _named(self, n: int) -> frozenset[str]:
        return named_by(self._matters[n].things, self._cases[n].alarm)

    def _agree(self, among: Rows) -> bool:
        """Whether `LEAST` of them name the same thing, or the same place."""
        counts = Counter(thing for n in among.tolist() for thing in self._matters[n].things)
        places = Counter(self._place[among[self._place[among] != self._no_place]].tolist())
        return max((*counts.values(), *places.values()), default=0) >= LEAST

    def belongs(
        self, feedback_id: str, told: Collection[str], expected: Mapping[timedelta, float]
    ) -> bool:
        """Whether a case is probably one of those who `told` a thing, by how many of them did so in
        some window before it and how many are `expected` there of anything."""
        asked = self._row[feedback_id]
        lately = self._lately(asked, WINDOWS[-1], (feedback_id,)) & self._is_meant
        others = np.array([self._row[one] for one in told if one in self._row], dtype=int)
        others = others[lately[others]][-_MOST:]
        if not len(others):
            return False
        past = self._before(asked)
        rows = np.append(past, asked)
        near = np.array([self._near(other, rows) for other in others.tolist()]).sum(axis=0)
        (rarity,) = self._rarity(near[None, :-1], near[-1:], past, rows[-1:]).tolist()
        if rarity > self._reach(asked, others):
            return False
        ago = self._at[asked] - self._at[others]
        for window, come in expected.items():
            many = int(np.count_nonzero(ago < window.total_seconds()))
            if odds_of(rarity, many, come) >= LIKELY[window]:
                return True
        return False

    def _reach(self, asked: int, others: Rows) -> float:
        """How far from the middle of the others a case may be, as a share of the past. Where hardly
        anything is expected the odds alone take in whatever comes."""
        mine = self._matters[asked].things
        if any(mine & self._matters[n].things for n in others.tolist() if n != asked):
            return 1.0
        return _NEAR_BUT_OTHER if mine else _NEAR

    def _lately(self, asked: int, window: timedelta, without: Collection[str]) -> Mask:
        ago = self._at[asked] - self._at
        lately: Mask = (ago >= 0) & (ago < window.total_seconds())
        lately[[self._row[one] for one in without if one in self._row]] = False
        return lately

    def _before(self, asked: int) -> Rows:
        """What was said before the longest window."""
        ago = self._at[asked] - self._at
        return np.flatnonzero((ago >= WINDOWS[-1].total_seconds()) & self._is_meant)

    def _grown(self, asked: int, rows: Rows, n_past: int) -> Iterator[tuple[list[int], Reals]]:
        """Groups of `LEAST` and more around a case, by their index in `rows`, each with how near
        its members are to all rows."""
        (first,) = np.flatnonzero(rows == asked).tolist()
        group, near = [first], [self._near(asked, rows)]
        left = np.ones(len(rows), bool)
        left[:n_past] = left[first] = False
        middle = near[0].copy()
        while len(group) < _MOST and left.any():
            nearest = int(np.argmax(np.where(left, middle, -np.inf)))
            left[nearest] = False
            group.append(nearest)
            near.append(self._near(int(rows[nearest]), rows))
            middle += near[-1]
            if len(group) >= LEAST:
                yield group, np.array(near)

    def _near(self, one: int, rows: Rows) -> Reals:
        if one not in self._columns:
            near: Reals = self._features @ self._features[one]
            if self._place[one] != self._no_place:
                near += np.float32(_PLACE) * (self._place == self._place[one])
            self._columns[one] = near
        return self._columns[one][rows]

    def _rarity(self, before: Reals, own: Reals, past: Rows, among: Rows) -> NDArray[np.float64]:
        """For each of some cases which share of the past in its language is as near to the same
        middle; `before` and `own`: how near that and the case are, a row each."""
        nearer = before >= own[:, None]
        native, its = self._native[past], self._native[among]
        found = np.empty(len(own))
        for language in np.unique(its):
            same, asked = native == language, its == language
            if np.count_nonzero(same) < ENOUGH:
                same[:] = True
            those = nearer[np.ix_(asked, same)]
            # Of one wording there may be many letters: the share of wordings may be greater.
            said = self._said[past[same]]
            once = 1 / np.bincount(said)[said]
            letters = (np.count_nonzero(those, axis=1) + 0.5) / (len(said) + 1)
            wordings = (those @ once + 0.5) / (once.sum() + 1)
            found[asked] = np.maximum(letters, wordings)
        return found

    def _elsewhere(self, asked: int, rows: Rows) -> Mask:
        """Which of them name another floor."""
        floors = self._matters[asked].floors
        its = (self._matters[n].floors for n in rows.tolist())
        return np.array([bool(floors and one and not floors & one) for one in its], bool)

    def same_words(
        self, feedback_id: str, window: timedelta, *, without: Collection[str] = ()
    ) -> tuple[list[Said], NDArray[np.float64]]:
        """Those of the window before this case whose words are like its own, or like those of the
        one of them that has most like itself; and, where they are `LEAST`, the times (seconds since
        1970) of those before the longest window that are like the same one. Whichever is the
        middle: what names another thing is about that.
        """
        if (asked := self._row.get(feedback_id)) is None:
            return [], self._at[:0]
        lately = self._lately(asked, window, without) & ~self._gone
        alarms = {None, self._cases[asked].alarm}
        lately &= np.array([one.alarm in alarms for one in self._cases], bool)
        middle, best = asked, self._like(asked, asked, lately)
        for other in best[:: len(best) // _MIDDLES + 1].tolist():
            more = self._like(other, asked, lately)
            if len(more) > len(best) and asked in more:
                middle, best = other, more
        like = [self._cases[n] for n in best.tolist()]
        if len(like) < LEAST:
            return like, self._at[:0]
        before = self._at[asked] - self._at >= WINDOWS[-1].total_seconds()
        return like, self._at[self._like(middle, asked, before)]

    def _like(self, one: int, asked: int, among: Mask) -> Rows:
        """Those of `among` whose words are like those of `one`, and that name nothing else than
        `asked`."""
        rows = np.flatnonzero(among)
        same = [
            n == one or (not self._differ(asked, n) and self._same_words(one, n))
            for n in rows.tolist()
        ]
        found: Rows = rows[np.array(same, bool)]
        return found

    def _differ(self, one: int, other: int) -> bool:
        """Whether they name different floors, or different things."""
        mine, its = sorted((int(self._said[one]), int(self._said[other])))
        if (mine, its) not in self._different:
            both = matter_of(self._texts[mine]), matter_of(self._texts[its])
            floors = [one.floors for one in both]
            elsewhere = all(floors) and not floors[0] & floors[1]
            self._different[mine, its] = elsewhere or apart(*both)
        return self._different[mine, its]

    def _same_words(self, one: int, other: int) -> bool:
        between = timedelta(seconds=abs(self._at[one] - self._at[other]))
        mine, its = sorted((int(self._said[one]), int(self._said[other])))
        if mine == its:
            return True
        asked = (mine, its, between <= CLOSE)
        if asked not in self._same:
            said = (_features(self._texts[n]) for n in (mine, its))
            self._same[asked] = likeness(*said, same_place=False, apart=between) >= ALIKE
        return self._same[asked]


def matter(said: Said) -> Matter:
    """What it names."""
    return matter_of(_text(said))


def _things(matters: Sequence[Matter]) -> Reals:
    """One row each: the product of two is how much they name the same things."""
    named = [one.things for one in matters]
    column = {thing: n for n, thing in enumerate(sorted(frozenset().union(*named)))}
    made = np.zeros((len(matters), len(column)), dtype=np.float32)
    for row, things in enumerate(named):
        for thing in things:
            made[row, column[thing]] = _BROAD if thing in BROAD else 1.0
    length = np.linalg.norm(made, axis=1, keepdims=True)
    unit: Reals = made / np.maximum(length, 1e-9) * np.sqrt(_THINGS)
    return unit


def _place(said: Said) -> str:
    return fold(said.place or "").strip()


@lru_cache(maxsize=2048)
def _says_nothing(text: str) -> bool:
    """Whether neither its title nor what follows has more than a few words, and none of them names
    a thing or what is wrong."""
    if says_nothing(text):
        return True
    lines = text.split("\n", 1)
    words = max(len(_CHINESE.findall(one)) + 2 * len(_WORD.findall(one)) for one in lines)
    return words < _LEAST and not (matter_of(text).things or matter_of(text).faults)


@lru_cache(maxsize=2048)
def _features(text: str) -> frozenset[str]:
    return features(text)


def _text(said: Said) -> str:
    return f"{said.title}\n{said.text}"
