"""Which cases that name nothing known are one matter, by what they mean or by their words.

All complaints are near each other, and those of one language nearer. So vectors are taken from the
mean of their language, and what is asked is little: that something is said once in two hundred
letters anyway is no surge, which is for the counting to find out. Of five who tell one thing in
words of their own, one of them in another language, most are so near, and hardly any others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.desk.domain.matters import matter_of
from services.desk.domain.similar import ALIKE, features, likeness
from services.desk.jobs.grouping import from_mean

_CHINESE = re.compile(r"[\u3400-\u9fff]")
NEAR = 0.3
"""Cosine of two vectors, taken from the mean."""
ENOUGH = 40
"""So many vectors of a language have a mean; before, words alone are compared."""


class Alike:
    """Cases of the longest window, and those before it: rows with `feedback_id`, `at`, `title`,
    `text`, `vector`."""

    def __init__(self, seen: Sequence[Any], before: Sequence[Any]) -> None:
        self._seen, self._rows = seen, [*seen, *before]
        vectors = [row["vector"] or () for row in self._rows]
        # Of each language the own mean: what an English text is near first is English.
        native = [bool(_CHINESE.search(row["text"])) for row in self._rows]
        self._meant = from_mean(vectors, native, ENOUGH)
        self._is_meant: list[bool] = self._meant.any(axis=1).tolist()

    def around(self, row: Any) -> tuple[list[Any], list[datetime]]:
        """Those of the window like `row`, or like the one of them that has most like itself; and
        the times of those before that are like the same one."""
        own = [one["feedback_id"] for one in self._seen]
        if row["feedback_id"] not in own:
            return [], []
        window, middle = range(len(self._seen)), own.index(row["feedback_id"])
        best = like = self._like(middle, window)
        for other in like:
            if len(its := self._like(other, window)) > len(best):
                best, middle = its, other
        before = self._like(middle, range(len(self._seen), len(self._rows)))
        return [self._rows[n] for n in best], [self._rows[n]["at"] for n in before]

    def _like(self, one: int, others: range) -> list[int]:
        near = self._meant @ self._meant[one] >= NEAR if self._is_meant[one] else None
        found = []
        for other in others:
            if near is not None and self._is_meant[other]:
                same = bool(near[other]) and not _two_floors(self._rows[one], self._rows[other])
            else:
                same = _same_words(self._rows[one], self._rows[other])
            if same or other == one:
                found.append(other)
        return found


def _two_floors(one: Any, other: Any) -> bool:
    mine, its = (matter_of(_text(row)).floors for row in (one, other))
    return bool(mine and its and not mine & its)


def _same_words(one: Any, other: Any) -> bool:
    mine, its = _text(one), _text(other)
    apart = abs(one["at"] - other["at"])
    return mine == its or (
        likeness(_features(mine), _features(its), same_place=False, apart=apart) >= ALIKE
    )


@lru_cache(maxsize=2048)
def _features(text: str) -> frozenset[str]:
    return features(text)


def _text(row: Any) -> str:
    return f"{row['title']}\n{row['text']}"
