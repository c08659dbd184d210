"""A slow machine plays fewer comments, and ends in time."""

from __future__ import annotations

import pytest

from services.demo.pace import AT_LEAST, OVER, WARMING_UP, Pace

DAYS, CASES, WITHIN = 60, 1500, 150.0


def played(each: float, look: float = 0.1, *, warming_up: float = 0.0) -> tuple[int, float]:
    """How many comments a machine writes that takes so long for one and for a look; how long all
    of it takes."""
    pace = Pace(within=WITHIN, cases=CASES, days=DAYS)
    spent, written, left_out, share = 0.0, 0, 0, 1.0
    for day in range(DAYS):
        now = round(CASES / DAYS * share)
        written += now
        left_out += CASES // DAYS - now
        spent += 2.4 * look + now * each + (warming_up if day < WARMING_UP else 0)
        pace.looked(look)
        share = pace.day_over(spent, written, left_out)
    return written, spent


def test_a_quick_machine_plays_them_all() -> None:
    assert played(0.05)[0] == CASES
    assert played(0.085)[0] == CASES


def test_what_is_done_for_the_first_time_leaves_nothing_out() -> None:
    assert played(0.075, warming_up=3)[0] == CASES


@pytest.mark.parametrize("each", [0.12, 0.2, 0.3])
def test_a_slow_machine_plays_as_many_as_fit(each: float) -> None:
    written, spent = played(each)
    assert spent <= WITHIN * 1.05
    assert written >= 0.85 * (WITHIN - 2.4 * 0.1 * DAYS) / each


def test_something_is_played_on_any_machine() -> None:
    assert played(5.0)[0] >= AT_LEAST * CASES


def test_when_time_is_up_half_of_the_days_were_played_at_least() -> None:
    pace = Pace(within=WITHIN, cases=CASES, days=DAYS)
    late = OVER * WITHIN + 1
    for _ in range(DAYS // 2):
        assert not pace.is_over(late)
        pace.day_over(late, 10, 0)
    assert pace.is_over(late)
    assert not pace.is_over(WITHIN)
