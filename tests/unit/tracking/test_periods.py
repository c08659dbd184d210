"""Periods of the dashboard, in local days."""

from __future__ import annotations

import pytest

from services.tracking.domain.periods import LONGEST, day_of, days_between, period
from tests.support import at

NOW = at("2026-03-04 00:30")


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [
        (None, None, "2026-03-04", "2026-03-05"),
        ("2026-03-01", None, "2026-03-01", "2026-03-05"),
        (None, "2026-03-01", "2026-03-01", "2026-03-02"),
        ("2026-03-01", "2026-03-02", "2026-03-01", "2026-03-03"),
        ("2026-03-10", "2026-03-10", "2026-03-10", "2026-03-11"),
        ("2026-03-01T09:30:00+08:00", "2026-03-01T10:30", "2026-03-01 09:00", "2026-03-01 11:00"),
        (
            "2026-03-01T09:00:00 08:00",
            "2026-03-01T02:00:00Z",
            "2026-03-01 09:00",
            "2026-03-01 10:00",
        ),
    ],
)
def test_a_period_is_whole_local_days_or_whole_hours(
    begin: str | None, end: str | None, first: str, last: str
) -> None:
    assert period(begin, end, NOW) == (at(first), at(last))


@pytest.mark.parametrize(
    ("begin", "end", "field"),
    [
        ("tomorrow", None, "from"),
        (None, "2026-02-30", "to"),
        ("2026-03-05", "2026-03-04", "to"),
        ("2026-03-04", "9999-12-31", "to"),
        ("0001-01-01", "2026-03-04", "from"),
        ("2020-01-01", "2026-03-04", "from"),
        ("2026-03-04T10:00:00+99:99", None, "from"),
        ("一", None, "from"),
        ("2026-03-05", None, "from"),
        ("2026-03-05T00:00:00+08:00", None, "from"),
    ],
)
def test_what_is_no_period_says_which_end_is_wrong(
    begin: str | None, end: str | None, field: str
) -> None:
    with pytest.raises(ValueError, match=field) as wrong:
        period(begin, end, NOW)
    assert wrong.value.args[0] == field
    assert " | " in wrong.value.args[1]


@pytest.mark.parametrize(
    ("begin", "end", "zh", "en"),
    [
        ("一", None, "须为日期", "must be a date"),
        ("1900-01-01", "2100-01-01", "2000 年到 2200 年之间", "between 2000 and 2200"),
        ("1900-01-01T10:00:00+08:00", None, "2000 年到 2200 年之间", "between 2000 and 2200"),
        ("2026-03-05", "2026-03-04", "结束早于开始", "end is before the beginning"),
        ("2026-03-09", None, "还没有到", "still to come"),
    ],
)
def test_what_is_wrong_with_a_period_is_a_sentence(
    begin: str, end: str | None, zh: str, en: str
) -> None:
    with pytest.raises(ValueError, match=r"from|to") as wrong:
        period(begin, end, NOW)
    said = dict(zip(("zh", "en"), wrong.value.args[1].split(" | "), strict=True))
    assert zh in said["zh"]
    assert said["zh"].endswith("。")
    assert en in said["en"]
    assert said["en"].endswith(".")


def test_days_are_local() -> None:
    assert day_of(at("2026-03-04 00:30")) == at("2026-03-04 00:00")
    assert len(days_between(at("2026-03-01 23:00"), at("2026-03-03 00:00"))) == 2
    assert LONGEST >= 366
