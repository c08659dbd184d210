"""Sums as they are read: some rows of the counters, added up for one part of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Sum(NamedTuple):
    """One kept sum; `part` says which part of the answer it belongs to."""

    part: str
    measure: str
    bucket: datetime | None
    department: str
    detail: str
    n: int


def totals(sums: Iterable[Sum]) -> Counter[str]:
    """Sums by measure, and by ``measure:detail``."""
    found: Counter[str] = Counter()
    for one in sums:
        found[one.measure] += one.n
        if one.detail:
            found[f"{one.measure}:{one.detail}"] += one.n
    return found
