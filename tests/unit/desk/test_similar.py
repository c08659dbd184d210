"""What two comments have in common."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.domain.similar import ALIKE, candidates_from, features, likeness

COLD = "三层阅览室的空调从昨天下午开始就不制冷了，热得没法看书，请尽快修。"
NOW, LONG_AGO = timedelta(0), timedelta(days=40)


def like(one: str, other: str, *, same_place: bool = False, apart: timedelta = NOW) -> float:
    return likeness(features(one), features(other), same_place=same_place, apart=apart)


@pytest.mark.parametrize(
    "other",
    [
        COLD,
        f"老师您好！{COLD}谢谢",
        "三层阅览室的空调昨天下午起不制冷了，热得没法看书，尽快修",
        f"{COLD}另外，三层东区的插座有一半没有电，上周就说过了，到现在也没有人来看一眼。",
    ],
)
def test_a_copy_is_alike_whenever_it_comes(other: str) -> None:
    assert like(COLD, other, apart=LONG_AGO) >= ALIKE


@pytest.mark.parametrize(
    "other", ["三层阅览室几点关门？", "五楼打印机卡纸", "The air conditioning is broken", "？", ""]
)
def test_the_same_place_and_day_make_no_one_matter_of_two(other: str) -> None:
    assert like(COLD, other, same_place=True) < ALIKE


def test_the_same_place_and_day_count_where_words_are_near() -> None:
    other = "三层阅览室空调不制冷，热"
    assert like(COLD, other, same_place=True) > like(COLD, other, apart=LONG_AGO)
    assert like("Wi-Fi IS down", "wi-fi is DOWN") == 1.0


def test_letters_and_long_texts_have_to_have_more_in_common() -> None:
    short, lift = candidates_from(COLD), candidates_from("The lift is stuck")
    assert short < candidates_from(COLD * 3) < candidates_from(COLD * 10)
    assert short < lift < candidates_from("The lift is stuck. " * 20)
