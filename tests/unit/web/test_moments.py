"""Times as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.web.moments import (
    LOCAL,
    ago_words,
    day_words,
    due_words,
    exact_words,
    left_words,
    moment,
    urgency,
    used_share,
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
