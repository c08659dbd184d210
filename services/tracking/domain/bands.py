"""How long things took, in bands 2 % wide: medians and ninth deciles without reading each of them.

A band keeps how many fell into it and how long they took together. What stands for one of them is
the mean of its band, so that a figure is off by less than the width of a band; where each value has
a band of its own, or all in one are alike, it is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import ceil, floor

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


def percentile(bands: Bands, part: float) -> float | None:
    """Seconds that `part` (0.5: half) of all do not exceed, between ranks as `percentile_cont` of
    SQL; None where there are none."""
    ordered = sorted((band, n, seconds) for band, (n, seconds) in bands.items() if n > 0)
    total = sum(n for _, n, _ in ordered)
    if not total:
        return None
    rank = part * (total - 1)
    below, above = _value(ordered, floor(rank)), _value(ordered, ceil(rank))
    return below + (above - below) * (rank - floor(rank))


def _value(ordered: list[tuple[int, int, int]], rank: int) -> float:
    passed = 0
    for _, n, seconds in ordered:
        passed += n
        if rank < passed:
            return seconds / n
    raise IndexError(rank)


def together(one: Bands, other: Bands) -> dict[int, tuple[int, int]]:
    """Both as one."""
    found = dict(one)
    for band, (n, seconds) in other.items():
        had, before = found.get(band, (0, 0))
        found[band] = (had + n, before + seconds)
    return found
