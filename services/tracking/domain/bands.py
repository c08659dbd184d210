"""How long things took, in bands 2 % wide: medians and ninth deciles without reading each of them.

A band keeps how many fell into it and how long they took together. What stands for one of them is
the mean of its band, so that a figure is off by less than the width of a band; where each value has
a band of its own, or all in one are alike, it is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from math import ceil, floor
from operator import itemgetter

_PARTS = 50
WIDTH = 1 / _PARTS
"""By so much, at most, is a percentile off: a part of what it says. Below a minute: a minute."""
_SHORTEST, _LONGEST = 60, 4 * 10**8
Bands = Mapping[int, tuple[int, int]]
"""Band → how many, and their seconds together."""


def _edges() -> tuple[int, ...]:
    found = [_SHORTEST]
    while found[-1] < _LONGEST:
        found.append(found[-1] + max(1, found[-1] // _PARTS))
    return tuple(found)


EDGES = _edges()
"""Working seconds with which each band but the first begins. What is stored goes by it: not to be
changed without counting `duration_bands` anew."""


def band_of(seconds: int) -> int:
    """The band of so many working seconds."""
    return bisect_right(EDGES, seconds)


def percentiles(bands: Bands, *parts: float) -> tuple[float, ...] | None:
    """Of each of `parts` (0.5: half) the seconds that so many do not exceed, between ranks as
    `percentile_cont` of SQL; None where there are none."""
    # There are hundreds, and this is asked for every answer: no loop of ours passes them.
    ordered = [kept for _, kept in sorted(bands.items()) if kept[0] > 0]
    reach = list(accumulate(map(itemgetter(0), ordered)))
    if not reach:
        return None

    def value(rank: int) -> float:
        n, seconds = ordered[bisect_right(reach, rank)]
        return seconds / n

    found = []
    for part in parts:
        rank = part * (reach[-1] - 1)
        below, above = value(floor(rank)), value(ceil(rank))
        found.append(below + (above - below) * (rank - floor(rank)))
    return tuple(found)


def together(one: Bands, other: Bands) -> dict[int, tuple[int, int]]:
    """Both as one."""
    found = dict(one)
    for band, (n, seconds) in other.items():
        had, before = found.get(band, (0, 0))
        found[band] = (had + n, before + seconds)
    return found
