"""Percentiles from bands are off by less than they say, and exact where there are few."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as some

from services.tracking.domain.bands import EDGES, WIDTH, band_of, percentiles, together

SECONDS = some.one_of(
    some.integers(0, 5_000_000), some.integers(0, 4_000), some.sampled_from([60, 3_600, 28_800])
)


def banded(values: list[int]) -> dict[int, tuple[int, int]]:
    found: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for value in values:
        n, seconds = found[band_of(value)]
        found[band_of(value)] = (n + 1, seconds + value)
    return dict(found)


def exact(values: list[int], part: float) -> float:
    ordered, rank = sorted(values), part * (len(values) - 1)
    below, above = ordered[floor(rank)], ordered[ceil(rank)]
    return below + (above - below) * (rank - floor(rank))


@given(some.lists(SECONDS, min_size=1, max_size=200), some.sampled_from([0.5, 0.9]))
def test_a_percentile_is_off_by_less_than_its_band_is_wide(values: list[int], part: float) -> None:
    (found,), true = percentiles(banded(values), part), exact(values, part)
    assert found is not None
    assert abs(found - true) <= max(WIDTH * true, 60)


@given(some.lists(some.sampled_from([600, 7_200, 19_000, 90_000]), min_size=1), SECONDS)
def test_it_is_exact_where_what_shares_a_band_is_alike(values: list[int], other: int) -> None:
    for part in (0.5, 0.9):
        assert percentiles(banded(values), part) == (exact(values, part),)
    assert percentiles(banded([other]), 0.5, 0.9) == (other, other)


@given(some.lists(SECONDS, max_size=50), some.lists(SECONDS, max_size=50))
def test_two_parts_together_are_the_whole(one: list[int], other: list[int]) -> None:
    assert together(banded(one), banded(other)) == banded(one + other)


def test_nothing_has_no_median() -> None:
    assert percentiles({}, 0.5) is None


def test_each_band_is_at_most_two_percent_wide_and_a_second_at_least() -> None:
    assert all(one < next_ <= max(one + 1, one * (1 + WIDTH)) for one, next_ in pairwise(EDGES))
    assert (band_of(0), band_of(59), band_of(60)) == (0, 0, 1)
