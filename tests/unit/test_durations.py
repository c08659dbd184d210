"""Lengths of time, from the policy's own form to people's words."""

from __future__ import annotations

import pytest

from shared.durations import duration_words, within_words


@pytest.mark.parametrize(
    ("code", "words", "within"),
    [
        ("1wd", ("1 个工作日", "1 working day"), ("1 个工作日内", "within 1 working day")),
        (
            "2.5wd",
            ("2.5 个工作日", "2.5 working days"),
            ("2.5 个工作日内", "within 2.5 working days"),
        ),
        (
            "15min",
            ("15 分钟", "15 minutes"),
            ("工作时间 15 分钟内", "within 15 minutes of working time"),
        ),
        ("1h", ("1 小时", "1 hour"), ("工作时间 1 小时内", "within 1 working hour")),
        (
            "30min 24x7",
            ("30 分钟（不分昼夜）", "30 minutes (day and night)"),
            ("30 分钟内（不分昼夜）", "within 30 minutes, day and night"),
        ),
        ("a while", ("", ""), ("", "")),
    ],
)
def test_a_duration_in_both_languages(
    code: str, words: tuple[str, str], within: tuple[str, str]
) -> None:
    assert (duration_words(code, "zh"), duration_words(code, "en")) == words
    assert (within_words(code, "zh"), within_words(code, "en")) == within
