"""How much two comments have in common: words, place, time."""

from __future__ import annotations

import re
from datetime import timedelta

from services.desk.domain.search import fold

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff]+|[^\W\da-z_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LETTERS = re.compile(r"[A-Za-z]")
LONG = 200
CLOSE = timedelta(days=3)
ALIKE = 0.4
"""From here on two comments are shown to a person as perhaps one matter."""
_LEAST = 0.25
"""Words that differ more than this are about different things, wherever and whenever."""
_FEW = 6


def candidates_from(text: str) -> float:
    """How much the trigram index has to find the same to be asked any further.

    Texts of letters have many trigrams in common whatever they say, and long ones are dear.
    """
    letters = len(_LETTERS.findall(text))
    if letters > len(text) / 2:
        return 0.55
    return 0.5 if len(text) > LONG else 0.35


def features(text: str) -> frozenset[str]:
    """What two texts are compared by: pairs of Chinese characters, words of other scripts."""
    found: set[str] = set()
    for run in _RUNS.findall(fold(text)):
        if _CHINESE.match(run) and len(run) > 1:
            found.update(run[n : n + 2] for n in range(len(run) - 1))
        else:
            found.add(run)
    return frozenset(found)


def likeness(
    one: frozenset[str], other: frozenset[str], *, same_place: bool, apart: timedelta
) -> float:
    """From 0 to 1; `ALIKE` and more is worth a look. A text inside a longer one counts nearly as
    much as an equal one."""
    shared = len(one & other)
    least = min(len(one), len(other))
    if not shared:
        return 0.0
    equal = shared / len(one | other)
    inside = shared / least if least >= _FEW else 0.0
    words = max(equal, 0.8 * inside if inside > 0.6 else 0.0)
    if words < _LEAST:
        return 0.0
    return min(1.0, words + 0.1 * same_place + 0.05 * (apart <= CLOSE))
