"""How many of the comments that are left this machine can play in the time that is left."""

from __future__ import annotations

AT_LEAST = 0.2
"""The share of the comments that is written on any machine: pages must have something to show."""
WARMING_UP = 3
"""Days that say little about the others: much is done for the first time."""
NEARLY = 0.9
"""By so much what is left is misjudged anyway; the days to come correct it."""
OVER = 1.25
"""So many times what it may take: then no further day begins, from the second half on."""
_LOOKS = 2.4
"""A day, on average."""


class Pace:
    """What days cost here. Times are seconds since the play began."""

    def __init__(self, *, within: float, cases: int, days: int) -> None:
        self._within, self._cases, self._days = within, cases, days
        self._done = 0
        self._shortest = 60.0
        self._warm = (0.0, 0)
        """When the warming up was over, and how many comments were written by then."""

    def looked(self, seconds: float) -> None:
        """A look took so long: the shortest says what each of them costs in any case."""
        self._shortest = min(self._shortest, seconds)

    def is_over(self, spent: float) -> bool:
        """Whether the days that are left cannot be waited for. Days cost something on which nobody
        writes; half of them are played on any machine."""
        return spent > OVER * self._within and 2 * self._done >= self._days

    def day_over(self, spent: float, written: int, left_out: int) -> float:
        """The share of the comments to come that can be written; 1 where nearly all of them can."""
        self._done += 1
        if self._done <= WARMING_UP:
            self._warm = (spent, written)
            return 1.0
        begun, before = self._warm
        left = self._cases - written - left_out
        if written <= before or left <= 0:
            return 1.0
        empty = self._shortest * _LOOKS
        each = max(0.01, spent - begun - empty * (self._done - WARMING_UP)) / (written - before)
        can = (self._within - spent - empty * (self._days - self._done)) / each / left
        return 1.0 if can > NEARLY else max(AT_LEAST, can)
