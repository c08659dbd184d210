"""An invented term told in letters: ordinary traffic of the corpora of routing with its rhythms of
hours, weekdays and parts of a term, and faults told by several people in words of their own
(`faults.txt`). Nothing here knows how surges are found.

Letters and faults are in two halves: one to choose by, one to judge what was chosen.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from tests.unit.desk.terms import FIRST, HOURS, PARTS, PLACES, WEEKDAYS

Half = Literal["chosen", "judged"]
_HERE = Path(__file__).parent
_CORPORA = ("corpus", "letters")
NOT_BEFORE = timedelta(days=30)
"""A letter comes again after so long at the earliest: what is usual is counted in 28 days."""
BEFORE, APART = 28, 4
"""Days before the first fault, and from one to the next."""
KINDS = ("ten in half an hour", "five in 20 minutes", "ten in a day")


@dataclass(frozen=True)
class Letter:
    """One of them; `planted` is the number of the fault it tells of."""

    at: datetime
    text: str
    place: str | None
    planted: int | None = None


@dataclass(frozen=True)
class Planted:
    """A fault of a term."""

    kind: str
    name: str
    fifth: datetime


@dataclass(frozen=True)
class Told:
    """Letters in order of time, and by its number what each planted fault is."""

    letters: Sequence[Letter]
    faults: dict[int, Planted]
    days: int
    first: datetime = FIRST


@cache
def ordinary(half: Half) -> dict[str, list[str]]:
    """Texts by their category."""
    found: dict[str, list[str]] = {}
    n = 0
    for name in _CORPORA:
        lines = (_HERE.parent / "routing" / f"{name}.jsonl").read_text("utf-8").splitlines()
        for letter in map(json.loads, lines):
            n += 1
            if (n % 2 == 0) is (half == "judged"):
                found.setdefault(letter["category"] or "none", []).append(letter["text"])
    return found


@cache
def faults(half: Half) -> dict[str, list[str]]:
    """Of each fault what people say."""
    found: dict[str, list[str]] = {}
    for line in (_HERE / "faults.txt").read_text("utf-8").splitlines():
        if line.startswith("= "):
            found[name := line[2:]] = []
        elif not line.startswith("#"):
            found[name].append(line)
    names = list(found)[half == "judged" :: 2]
    return {name: found[name] for name in names}


def texts(*halves: Half) -> list[str]:
    """All that is said in a term of these halves, each once, always in the same order."""
    said: Iterable[str] = (
        one
        for half in halves
        for texts in [*ordinary(half).values(), *faults(half).values()]
        for one in texts
    )
    return list(dict.fromkeys(said))


def term(
    seed: int,
    half: Half,
    *,
    days: int = 140,
    a_day: float = 45.0,
    stock: dict[str, list[str]] | None = None,
    begins: int = BEFORE,
    apart: int = APART,
) -> Told:
    """A term of `days`, with some `a_day` letters on an ordinary one, of `stock` if it is given;
    faults from the day on which they begin, so many days apart."""
    rng = random.Random(f"told {seed} {half}")
    source = _Stock(rng, stock or ordinary(half))
    letters: list[Letter] = []
    for day in range(days):
        part = next(level for first, level in reversed(PARTS) if day >= first)
        source.begin(day, exams=part > 1.6)
        told_all = 2.5 if rng.random() < 1 / 30 else 1.0
        much = a_day * part * WEEKDAYS[day % 7] * rng.lognormvariate(0, 0.15) * told_all
        for hour, share in enumerate(HOURS):
            start = FIRST + timedelta(days=day, hours=hour)
            at = 0.0
            while share and (at := at + rng.expovariate(much * share / sum(HOURS))) < 1:
                moment = start + timedelta(hours=at)
                place = rng.choice(PLACES) if rng.random() < 0.4 else None
                letters.append(Letter(moment, source.one(moment), place))
    planted = _planted(rng, half, range(begins, days - 1, apart))
    letters += [letter for several in planted.values() for letter in several[1]]
    known = {
        n: Planted(kind, name, sorted(one.at for one in told)[4])
        for n, ((kind, name), told) in planted.items()
    }
    return Told(sorted(letters, key=lambda one: one.at), known, days)


class _Stock:
    """What is said on an ordinary day, by category, of which each has its days and weeks."""

    def __init__(self, rng: random.Random, by_category: dict[str, list[str]]) -> None:
        self._rng = rng
        self._left = {name: rng.sample(texts, len(texts)) for name, texts in by_category.items()}
        self._size = {name: len(texts) for name, texts in by_category.items()}
        self._week: dict[str, float] = {}
        self._today: dict[str, float] = {}
        self._said: dict[str, datetime] = {}

    def begin(self, day: int, *, exams: bool) -> None:
        rng = self._rng
        if day % 7 == 0:
            self._week = {name: rng.lognormvariate(0, 0.25) for name in self._size}
        self._today = {
            name: size
            * self._week[name]
            * rng.lognormvariate(0, 0.25)
            * (2.0 if exams and name in ("seats", "facilities", "rules") else 1.0)
            for name, size in self._size.items()
        }

    def one(self, at: datetime) -> str:
        """Of a category that has something left which was not said lately, the oldest."""
        waits = [
            name
            for name, texts in self._left.items()
            if at - self._said.get(texts[0], FIRST - NOT_BEFORE) >= NOT_BEFORE
        ]
        if not waits:
            raise ValueError("too few letters for so many a day")
        (name,) = self._rng.choices(waits, [self._today[name] for name in waits])
        texts = self._left[name]
        texts.append(text := texts.pop(0))
        self._said[text] = at
        return text


def _planted(
    rng: random.Random, half: Half, days: Sequence[int]
) -> dict[int, tuple[tuple[str, str], list[Letter]]]:
    """By turns of each kind; each fault comes twice at most, in another way and order."""
    told = faults(half)
    names = rng.sample(list(told), len(told))
    found = {}
    for n, day in enumerate(days):
        # One further with each round: else each fault would always be of the same kind.
        kind, name = KINDS[(n + n // len(names)) % len(KINDS)], names[n % len(names)]
        hour = rng.choice((9, 10, 11, 14, 15, 19, 20))
        start = FIRST + timedelta(days=day, hours=hour, minutes=rng.randrange(60))
        many, over = (5, 20 / 60) if kind == KINDS[1] else (10, 0.5)
        if kind == KINDS[2]:
            start, over = FIRST + timedelta(days=day, hours=9), 11.0
        place = rng.choice(PLACES)
        letters = [
            Letter(
                start + timedelta(hours=rng.uniform(0, over)),
                text,
                place if rng.random() < 0.5 else None,
                n,
            )
            for text in rng.sample(told[name], many)
        ]
        found[n] = (kind, name), letters
    return found
