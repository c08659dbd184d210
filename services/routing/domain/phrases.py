"""Phrases that tell the letters of a category from all others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.routing.domain.text import fold

FEWEST = 5
"""Letters that must say it: no single person's words are offered."""
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[a-z][a-z'-]{2,20}")
# Between words and never in the middle of one; and what says nothing at either end of a phrase.
_BETWEEN = "的了又还也都就很吗呢吧啊我你他她们您"
_IDLE = frozenset("是在这那不没有和与及到要去来请一个第")
_APART = re.compile(f"[{_BETWEEN}]")
_LONGEST = 5


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, in how many letters of the category it stands, and in how many others."""

    text: str
    inside: int
    outside: int


def suggested(
    letters: Iterable[tuple[str, str]], category: str, known: Collection[str], *, limit: int = 12
) -> list[Phrase]:
    """The phrases that speak most clearly for `category`; none that a `known` one covers.

    `letters` are (masked words, category).
    """
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    ours = others = 0
    for text, of in letters:
        runs = _runs(fold(text))
        if of == category:
            inside.update(runs)
            ours += 1
        else:
            outside.update(runs)
            others += 1
    covered = [fold(one) for one in known]
    found = []
    for run, count in inside.items():
        if count < FEWEST or any(one and one in run for one in covered):
            continue
        share, elsewhere = count / ours, (outside[run] + 0.5) / (others + 1)
        if share > 3 * elsewhere:
            worth = share * math.log(share / elsewhere)
            found.append((worth, len(run), run))
    chosen: list[str] = []
    for _, _, run in sorted(found, key=lambda one: (-one[0], -one[1], one[2])):
        if not any(run in other or other in run for other in chosen):
            chosen.append(run)
        if len(chosen) == limit:
            break
    return [Phrase(run, inside[run], outside[run]) for run in chosen]


def _runs(said: str) -> set[str]:
    found = set(_LATIN.findall(said))
    for part in _HAN.findall(_APART.sub(" ", said)):
        for length in range(2, _LONGEST + 1):
            for at in range(len(part) - length + 1):
                run = part[at : at + length]
                if run[0] not in _IDLE and run[-1] not in _IDLE:
                    found.add(run)
    return found
