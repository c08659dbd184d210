"""Whether a measure helped, by a rule that can be told."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from services.tracking.domain.themes import Helped, around, by_day, gathered, judge, week_by_week
from shared.contracts.desk import ThemeCase, ThemeListed, ThemeMeasure
from tests.support import at

DAY = date(2026, 3, 4)
MEASURE = ThemeMeasure(what="清理", on=DAY, responsible="空间部")


def cases(before: int, after: int) -> Counter[date]:
    """So many on the last day before, and on the last of the four weeks after."""
    days = {DAY - timedelta(days=1): before, DAY + timedelta(days=27): after}
    # What lies just outside counts for nothing.
    return Counter(days | {DAY - timedelta(days=29): 99, DAY + timedelta(days=28): 99})


@pytest.mark.parametrize(
    ("before", "after", "helped"),
    [
        (4, 0, Helped.TOO_FEW),
        (5, 3, Helped.YES),
        (6, 4, Helped.YES),
        (6, 5, Helped.NO_CHANGE),
        (6, 7, Helped.NO_CHANGE),
        (6, 8, Helped.WORSE),
    ],
)
def test_four_weeks_before_are_held_against_four_after(
    before: int, after: int, helped: Helped
) -> None:
    judged = judge(MEASURE, cases(before, after), DAY + timedelta(days=28))
    assert (sum(judged.before), sum(judged.after), judged.helped) == (before, after, helped)
    assert (judged.before[-1], judged.after[-1]) == (before, after)


def test_a_theme_without_a_measure_is_looked_at_again_from_when_it_was_noted() -> None:
    found = around(DAY, cases(9, 3), DAY + timedelta(days=28))
    assert (sum(found.before), sum(found.after), found.helped) == (9, 3, Helped.YES)
    assert around(DAY, cases(9, 3), DAY + timedelta(days=27)).helped is Helped.NOT_YET


def test_nothing_is_said_before_the_four_weeks_are_over() -> None:
    judged = judge(MEASURE, cases(9, 0), DAY + timedelta(days=27))
    assert (judged.helped, judged.over_on) == (Helped.NOT_YET, date(2026, 4, 1))


def test_a_day_is_a_day_of_the_library() -> None:
    days = by_day([at("2026-03-08 23:59"), at("2026-03-09 00:01")])
    assert days == {date(2026, 3, 8): 1, date(2026, 3, 9): 1}
    weeks = week_by_week(days, date(2026, 3, 10))
    assert [n for _, n in weeks][-3:] == [0, 1, 1]
    assert weeks[-1][0] == date(2026, 3, 9)


def theme(name: str, *ids: str, **more: Any) -> ThemeListed:
    listed = tuple(ThemeCase(case=one) for one in ids)
    opened = at("2026-03-01 08:00")
    given = {"theme_id": name, "title": name, "opened_at": opened, "cases": listed}
    return ThemeListed(at=opened, **given, **more)


def test_what_was_merged_counts_with_what_it_became() -> None:
    listed = [theme("a", "1", "2", merged_into="b"), theme("b", "2", "3"), theme("c", "4")]
    found = gathered({one.theme_id: one for one in listed})
    assert [(one.theme_id, sorted(ids)) for one, ids in found] == [
        ("b", ["1", "2", "3"]),
        ("c", ["4"]),
    ]
