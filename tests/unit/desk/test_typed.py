"""Questions as people type them."""

from __future__ import annotations

import pytest

from services.desk.domain.matters import matter_of
from services.desk.domain.typed import as_meant, slips
from shared.pinyin import readings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("zhanzuo", "占座"),
        ("Kong tiao huai le", "空调"),
        ("wangluo hen man", "网络"),
        ("站座", "占座"),
        ("馆际户借要多久", "馆际互借要多久"),
        ("水笼头坏了", "水龙头坏了"),
        ("空挑不冷", "空调不冷"),
        ("overdeu book", "overdue book"),
        ("elevater", "elevator"),
        ("pritner", "printer"),
        ("temprature upstairs", "temperature upstairs"),
    ],
)
def test_what_names_nothing_is_read_as_what_it_sounds_or_looks_like(typed: str, meant: str) -> None:
    assert as_meant(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "占座",
        "王小明",
        "作为",
        "图书馆",
        "paint",
        "language",
        "Zhang Wei",
        "manage a group",
        "printr",
        "7K3M-9QXA",
        "",
        "z" * 500,
        "'’ '",
        "站座" * 100,
    ],
)
def test_what_names_a_thing_or_nothing_at_all_stays_as_it_is(typed: str) -> None:
    assert as_meant(typed) == typed


def test_every_reading_of_a_thing_names_that_thing() -> None:
    for word in ("空调", "打印", "饮水", "知网", "研讨间"):
        typed = "".join(said[0] for said in readings(word))
        assert matter_of(as_meant(typed)).things == matter_of(word).things


def test_slips_are_counted_as_far_as_asked() -> None:
    assert slips("overdeu", "overdue", 1) == 1
    assert slips("printer", "printer", 1) == 0
    assert slips("elevatr", "elevator", 1) == 1
    assert slips("abc", "xyz", 1) == 2
    assert slips("a", "abcdef", 2) == 3
