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
from datetime import timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.desk.domain.matters import Matter, apart, matter_of
from services.desk.domain.similar import ALIKE, CLOSE, features, likeness
from services.desk.domain.surges import LEAST, WINDOWS
from services.desk.jobs.grouping import from_mean
from services.desk.store.surges import Said

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_\u3400-\u9fff]{2,}")
_LEAST = 4
"""Chinese characters, a word counting for two, that mean something beside what the table knows."""
NEAR = {
    0.3: WINDOWS,
    0.2: WINDOWS,
    0.15: WINDOWS,
    0.1: WINDOWS[:2],
    0.05: WINDOWS[:1],
}
"""Cosines of two vectors, taken from the mean, at each of which it is looked, and in which windows:
what is counted as usual is counted by the same. In half an hour nearly all that comes besides is
about something else, so that less is asked of those who tell one fault in words of their own; in a
day that would find what is always said."""
ENOUGH = 40
"""So many vectors of a language have a mean; before, words alone are compared."""
_MIDDLES = 40
"""Of more that are alike so many are tried as their middle: in a flood all are as good."""


class Alike:
    """Cases of a stretch of time, in any order; made once for all that are asked about."""

    def __init__(self, cases: Sequence[Said]) -> None:
        self._cases = cases
        # Of each language the own mean: what an English text is near first is English.
        native = [bool(_CHINESE.search(one.text)) for one in cases]
        self._meant = from_mean([one.vector for one in cases], native, ENOUGH)
        # Vectors of next to nothing are near those of everything.
        self._meant[[n for n, one in enumerate(cases) if _says_nothing(one)]] = 0
        self._is_meant: NDArray[np.bool_] = np.any(self._meant, axis=1).astype(bool)
        self._row = {one.feedback_id: n for n, one in enumerate(cases)}
        self._at = np.array([one.at.timestamp() for one in cases])
        # What is said again and again is compared once.
        said: dict[str, int] = {}
        self._said = np.array([said.setdefault(_text(one), len(said)) for one in cases], dtype=int)
        self._texts = list(said)
        self._different: dict[tuple[int, int], bool] = {}
        self._same: dict[tuple[int, int, bool], bool] = {}

    def around(
        self,
        feedback_id: str,
        window: timedelta,
        near: float = max(NEAR),
        *,
        without: Collection[str] = (),
    ) -> tuple[list[Said], NDArray[np.float64]]:
        """Those of the window before this case that are like it, or like the one of them that has
        most like itself; and, where they are `LEAST`, the times (seconds since 1970) of those
        before the longest window that are like the same one. Whichever is the middle: what names
        another thing is about that.

        Those `without` which it is asked are not among the first.
        """
        if (asked := self._row.get(feedback_id)) is None:
            return [], self._at[:0]
        ago = self._at[asked] - self._at
        lately = (ago >= 0) & (ago < window.total_seconds())
        lately[[self._row[one] for one in without if one in self._row]] = False
        middle, best = asked, self._like(asked, asked, lately, near)
        for other in best[:: len(best) // _MIDDLES + 1].tolist():
            more = self._like(other, asked, lately, near)
            if len(more) > len(best) and asked in more:
                middle, best = other, more
        like = [self._cases[n] for n in best.tolist()]
        if len(like) < LEAST:
            return like, self._at[:0]
        before = ago >= WINDOWS[-1].total_seconds()
        return like, self._at[self._like(middle, asked, before, near)]

    def levels(self, feedback_id: str) -> Sequence[float]:
        """At which of `NEAR` a case is looked at: words are as alike at each of them."""
        row = self._row.get(feedback_id)
        return list(NEAR) if row is not None and self._is_meant[row] else [max(NEAR)]

    def _like(
        self, one: int, asked: int, among: NDArray[np.bool_], near: float
    ) -> NDArray[np.intp]:
        """Those of `among` that are like `one`, and name nothing else than `asked`."""
        rows = np.flatnonzero(among)
        meant = self._is_meant[rows] & self._is_meant[one]
        if self._is_meant[one]:
            close = (self._meant[rows] @ self._meant[one] >= near) | ~meant
            rows, meant = rows[close], meant[close]
        same = ~self._differ(asked, rows)
        same[meant] &= ~self._differ(one, rows[meant])
        for n in np.flatnonzero(same & ~meant).tolist():
            same[n] = self._same_words(one, rows[n])
        found: NDArray[np.intp] = rows[same | (rows == one)]
        return found

    def _differ(self, one: int, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of them name another floor than `one`, or another thing."""
        texts, where = np.unique(self._said[rows], return_inverse=True)
        mine = int(self._said[one])
        return np.array([self._texts_differ(mine, its) for its in texts.tolist()], bool)[where]

    def _texts_differ(self, one: int, other: int) -> bool:
        both = (one, other) if one < other else (other, one)
        if both not in self._different:
            mine, its = (matter_of(self._texts[n]) for n in both)
            floors = bool(mine.floors and its.floors and not mine.floors & its.floors)
            self._different[both] = floors or apart(mine, its)
        return self._different[both]

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


def _says_nothing(said: Said) -> bool:
    """Whether it has few words, and none that names a thing or what is wrong."""
    words = max(
        len(_CHINESE.findall(one)) + 2 * len(_WORD.findall(one)) for one in (said.title, said.text)
    )
    return words < _LEAST and not (matter(said).things or matter(said).faults)


@lru_cache(maxsize=2048)
def _features(text: str) -> frozenset[str]:
    return features(text)


def _text(said: Said) -> str:
    return f"{said.title}\n{said.text}"
