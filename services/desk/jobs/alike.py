"""Which cases are one matter, by what they mean or by their words.

All complaints are near each other, and those of one language nearer. So vectors are taken from the
mean of their language, and what is asked is little: that something is said once in two hundred
letters anyway is no surge, which is for the counting to find out. Of five who tell one thing in
words of their own, one of them in another language, most are so near, and hardly any others. Some
of the five name the thing and some do not: only who names another thing is about another matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.desk.domain.matters import Matter, apart, matter_of
from services.desk.domain.similar import ALIKE, features, likeness
from services.desk.domain.surges import LEAST
from services.desk.jobs.grouping import from_mean
from services.desk.store.surges import Said

_CHINESE = re.compile(r"[\u3400-\u9fff]")
NEAR = (0.3, 0.2, 0.15)
"""Cosines of two vectors, taken from the mean, at each of which it is looked: what is counted as
usual is counted by the same. Of five who tell one fault in their own words in twenty minutes, in an
invented term, the first alone found 8 of 30, all of them 18, with one false in three months; with
0.1 as well 20, and a false one each month."""
ENOUGH = 40
"""So many vectors of a language have a mean; before, words alone are compared."""


class Alike:
    """Cases of a stretch of time, in any order; made once for all that are asked about."""

    def __init__(self, cases: Sequence[Said]) -> None:
        self._cases = cases
        # Of each language the own mean: what an English text is near first is English.
        native = [bool(_CHINESE.search(one.text)) for one in cases]
        self._meant = from_mean([one.vector for one in cases], native, ENOUGH)
        self._is_meant = self._meant.any(axis=1)
        self._row = {one.feedback_id: n for n, one in enumerate(cases)}
        self._at = np.array([one.at.timestamp() for one in cases])
        self._matters: dict[int, Matter] = {}

    def around(
        self,
        feedback_id: str,
        window: timedelta,
        near: float = NEAR[0],
        *,
        without: Collection[str] = (),
    ) -> tuple[list[Said], list[datetime]]:
        """Those of the window before this case that are like it, or like the one of them that has
        most like itself; and, where they are `LEAST`, the times of those before the window that are
        like the same one. Whichever is the middle: what names another thing is about that.

        Those `without` which it is asked are not among the first.
        """
        if (asked := self._row.get(feedback_id)) is None:
            return [], []
        ago = self._at[asked] - self._at
        lately = (ago >= 0) & (ago < window.total_seconds())
        lately[[self._row[one] for one in without if one in self._row]] = False
        middle, best = asked, self._like(asked, asked, lately, near)
        for other in best:
            more = self._like(other, asked, lately, near)
            if len(more) > len(best) and asked in more:
                middle, best = other, more
        if len(best) < LEAST:
            return [self._cases[n] for n in best], []
        before = self._like(middle, asked, ago >= window.total_seconds(), near)
        return [self._cases[n] for n in best], [self._cases[n].at for n in before]

    def levels(self, feedback_id: str) -> Sequence[float]:
        """At which of `NEAR` a case is looked at: words are as alike at each of them."""
        row = self._row.get(feedback_id)
        return NEAR if row is not None and self._is_meant[row] else NEAR[:1]

    def _like(self, one: int, asked: int, among: NDArray[np.bool_], near: float) -> list[int]:
        """Those of `among` that are like `one`, and name nothing else than `asked`."""
        rows = np.flatnonzero(among)
        if self._is_meant[one]:
            rows = rows[(self._meant[rows] @ self._meant[one] >= near) | ~self._is_meant[rows]]
        mine, found = self._cases[one], []
        for other in rows.tolist():
            if other == one:
                same = True
            elif self._differ(asked, other):
                same = False
            elif self._is_meant[one] and self._is_meant[other]:
                same = not self._differ(one, other)
            else:
                same = _same_words(mine, self._cases[other])
            if same:
                found.append(other)
        return found

    def _differ(self, one: int, other: int) -> bool:
        """Whether they name two floors, or two things."""
        mine, its = self._matter(one), self._matter(other)
        return apart(mine, its) or bool(mine.floors and its.floors and not mine.floors & its.floors)

    def _matter(self, row: int) -> Matter:
        if row not in self._matters:
            self._matters[row] = matter(self._cases[row])
        return self._matters[row]


def matter(said: Said) -> Matter:
    """What it names."""
    return matter_of(_text(said))


def _same_words(one: Said, other: Said) -> bool:
    mine, its, between = _text(one), _text(other), abs(one.at - other.at)
    return mine == its or (
        likeness(_features(mine), _features(its), same_place=False, apart=between) >= ALIKE
    )


@lru_cache(maxsize=2048)
def _features(text: str) -> frozenset[str]:
    return features(text)


def _text(said: Said) -> str:
    return f"{said.title}\n{said.text}"
