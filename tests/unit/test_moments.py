"""Times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.moments import (
    LOCAL,
    ago_words,
    day_and_hour,
    day_words,
    due_words,
    exact_words,
    hour_words,
    left_words,
    local,
    moment,
    moment_words,
    not_ahead,
    urgency,
    used_share,
    written_day,
    written_due,
)

WEDNESDAY = datetime(2026, 11, 25, 10, 20, tzinfo=LOCAL)


def on(day: int, hour: int = 17, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("due", "zh", "en"),
    [
        (on(25), "今天 17:00 前", "by 17:00 today"),
        (on(26), "明天 17:00 前", "by 17:00 tomorrow"),
        (on(27), "后天 17:00 前", "by 17:00 on Fri"),
        (on(29), "周日 17:00 前", "by 17:00 on Sun"),
        (on(30), "下周一 17:00 前", "by 17:00 on Mon"),
        (on(9, month=12), "12月9日 17:00 前", "by 17:00 on 9 Dec"),
        (on(4, month=1, year=2027), "2027年1月4日 17:00 前", "by 17:00 on 4 Jan 2027"),
        (on(25, 9), "原定今天 09:00", "was due 09:00 today"),
        (on(23, 9), "原定周一 09:00", "was due 09:00 on Mon"),
    ],
)
def test_a_deadline_is_said_as_people_say_it(due: datetime, zh: str, en: str) -> None:
    assert due_words(due, WEDNESDAY, "zh") == zh
    assert due_words(due, WEDNESDAY, "en") == en


@pytest.mark.parametrize(
    ("past", "zh", "en"),
    [
        (timedelta(seconds=20), "刚刚", "just now"),
        (timedelta(seconds=-30), "刚刚", "just now"),
        (timedelta(minutes=5), "5 分钟前", "5 min ago"),
        (timedelta(hours=2, minutes=50), "2 小时前", "2 h ago"),
        (timedelta(hours=19), "昨天 15:20", "yesterday 15:20"),
        (timedelta(days=2), "周一 10:20", "Mon 10:20"),
    ],
)
def test_what_happened_is_so_long_ago(past: timedelta, zh: str, en: str) -> None:
    assert ago_words(WEDNESDAY - past, WEDNESDAY, "zh") == zh
    assert ago_words(WEDNESDAY - past, WEDNESDAY, "en") == en


def test_the_day_is_the_day_in_shanghai_not_in_utc() -> None:
    late_in_the_evening = "2026-11-25T16:30:00+00:00"  # 00:30 on Thursday in Shanghai
    assert day_words(moment(late_in_the_evening), WEDNESDAY) == "明天"  # type: ignore[arg-type]


def test_time_left_turns_into_time_over() -> None:
    assert left_words(WEDNESDAY + timedelta(hours=3), WEDNESDAY) == "还有 3 小时"
    assert left_words(WEDNESDAY - timedelta(minutes=25), WEDNESDAY) == "已超 25 分钟"
    assert left_words(WEDNESDAY - timedelta(days=3), WEDNESDAY, "en") == "3 days over"


def test_the_exact_time_is_there_for_whoever_hovers() -> None:
    assert exact_words("2026-11-25T02:20:30Z") == "2026年11月25日 周三 10:20:30（北京时间）"
    assert exact_words("2026-11-25T02:20:30Z", "en") == "Wed 25 Nov 2026, 10:20:30 (Beijing)"


@pytest.mark.parametrize("nothing", [None, "", "soon"])
def test_what_is_no_time_is_said_as_nothing(nothing: str | None) -> None:
    assert due_words(nothing, WEDNESDAY) == ""
    assert ago_words(nothing, WEDNESDAY) == ""
    assert exact_words(nothing) == ""
    assert used_share(nothing, nothing, WEDNESDAY) == 0


def test_colour_tells_over_from_soon_from_calm() -> None:
    start = on(25, 9)
    assert urgency(start, on(25, 10), WEDNESDAY) == "over"
    assert urgency(start, on(25, 11), WEDNESDAY) == "soon"
    assert urgency(start, on(27), WEDNESDAY) == "calm"
    assert urgency(on(20), on(25, 17), WEDNESDAY) == "soon"
    assert used_share(start, on(25, 11, 40), WEDNESDAY) == 50


def test_what_is_read_on_another_day_names_its_day() -> None:
    due = datetime(2026, 3, 11, 9, tzinfo=UTC)
    assert (written_due(due), written_day(due)) == ("3月11日（周三）17:00 前", "3月11日")
    assert (written_due(due, "en"), written_day(due, "en")) == ("17:00 on Wed 11 Mar", "11 Mar")
    assert day_and_hour(due) == day_and_hour("2026-03-11T17:00:00+08:00") == "03-11 17:00"
    assert day_and_hour(None) == "–"


def test_bodies_carry_the_local_offset_whatever_offset_a_time_came_with() -> None:
    same = (
        "2026-03-11T09:00:00Z",
        "2026-03-10T23:00:00-10:00",
        datetime(2026, 3, 11, 9, tzinfo=UTC),
    )
    assert {local(one) for one in same} == {"2026-03-11T17:00:00+08:00"}
    assert local(None) is None


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize(
    "odd",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59+00:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_a_moment_at_either_end_of_time_is_shown_anyway(odd: str, locale: str) -> None:
    at = datetime.fromisoformat(odd)
    assert local(odd)
    assert day_and_hour(odd) and hour_words(odd) and exact_words(odd, locale)
    assert day_words(at, WEDNESDAY, locale) and moment_words(odd, WEDNESDAY, locale)
    assert due_words(odd, WEDNESDAY, locale) and ago_words(odd, WEDNESDAY, locale)
    assert left_words(odd, WEDNESDAY, locale)
    assert written_day(at, locale) and written_due(at, locale)
    assert urgency(WEDNESDAY, odd, WEDNESDAY) in ("over", "calm")


def test_a_date_that_somebody_names_lies_ahead_and_within_two_years() -> None:
    assert not_ahead(WEDNESDAY, WEDNESDAY) is not None
    assert not_ahead(WEDNESDAY + timedelta(minutes=1), WEDNESDAY) is None
    assert not_ahead(on(25, year=2028), WEDNESDAY) is None
    assert not_ahead(on(25, year=2029), WEDNESDAY) is not None
    assert not_ahead(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), WEDNESDAY) is not None
