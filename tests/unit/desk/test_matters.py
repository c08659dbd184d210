"""Which two comments are one matter, whatever words they say it in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.desk.domain.matters import (
    ALIKE,
    apart,
    matter_of,
    nearness,
    same_answer,
    same_matter,
)
from services.desk.domain.similar import features, likeness
from shared.privacy import PLACEHOLDERS
from tests.unit.desk.test_duplicates import GROUPS, PAIRS, RETOLD

_PAIRS = [
    line.split("|")
    for line in (Path(__file__).parent / "pairs.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def like(cosine: str, one: str, other: str, *, by: Callable[..., float] = same_matter) -> float:
    words = likeness(features(one), features(other), same_place=False, apart=timedelta(days=40))
    near = nearness(one, other, float(cosine))
    return by(matter_of(one), matter_of(other), near, words)


def things(text: str) -> frozenset[str]:
    return matter_of(text).things


def test_most_pairs_of_one_matter_are_found_and_nearly_no_others() -> None:
    found = [pair for same, *pair in _PAIRS if same == "+" and like(*pair) >= ALIKE]
    wrong = [pair for same, *pair in _PAIRS if same == "-" and like(*pair) >= ALIKE]
    assert len(found) >= 35, len(found)
    assert len(wrong) <= 1, wrong


def test_the_answer_to_one_matter_is_offered_to_who_tells_it_again_and_names_nothing() -> None:
    nameless = [
        (group["letter"], copy["text"])
        for group in GROUPS
        for copy in group["copies"]
        if copy["how"] == RETOLD and not things(group["letter"]) & things(copy["text"])
    ]
    assert len(nameless) >= 10
    assert not [pair for pair in nameless if like("0.93", *pair, by=same_answer) < ALIKE]
    # Far in meaning, the same words are not enough.
    assert not [pair for pair in nameless if like("0.9", *pair, by=same_answer) >= ALIKE]


def test_the_answer_to_another_matter_is_not_offered_however_near() -> None:
    wrong = [pair for same, *pair in _PAIRS if same == "-" and like(*pair, by=same_answer) >= ALIKE]
    assert len(wrong) <= 1, wrong
    wrong = [pair for pair in PAIRS if like("0.93", *pair, by=same_answer) >= ALIKE]
    assert len(wrong) <= 2, wrong
    nameless = [pair for pair in PAIRS if not frozenset.intersection(*map(things, pair))]
    assert not [pair for pair in nameless if like("0.99", *pair, by=same_answer) >= ALIKE]


@pytest.mark.parametrize("same", ["+"])
def test_pairs_of_one_matter_are_never_said_to_be_apart(same: str) -> None:
    assert not [p for s, _, *p in _PAIRS if s == same and apart(*map(matter_of, p))]


def test_what_another_hand_told_again_is_no_other_matter() -> None:
    retold = [
        (group["letter"], copy["text"])
        for group in GROUPS
        for copy in group["copies"]
        if copy["how"] == RETOLD
    ]
    assert retold
    assert not [pair for pair in retold if apart(*map(matter_of, pair))]


def test_one_place_and_the_usual_phrases_make_no_one_matter_however_near() -> None:
    wrong = [pair for pair in PAIRS if like("0.93", *pair) >= ALIKE]
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize(
    ("text", "things", "faults", "floors"),
    [
        ("三楼空调不制冷，热", {"air"}, {"hot"}, {3}),
        ("The AC on level 3 is broken", {"air"}, {"broken"}, {3}),
        ("水杯占座", {"hold_seat"}, set(), set()),
        ("ＷＩＦＩ信号差", {"wifi"}, set(), set()),
        ("we apply for a happy printing press", {"printer"}, set(), set()),
        ("", set(), set(), set()),
    ],
)
def test_a_text_names_things_faults_and_floors(
    text: str, things: set[str], faults: set[str], floors: set[int]
) -> None:
    found = matter_of(text)
    assert (found.things, found.faults, found.floors) == (things, faults, floors)


def test_what_stands_where_a_person_was_masked_names_nothing() -> None:
    for placeholder in PLACEHOLDERS:
        assert matter_of(f"我的号码是{placeholder}") == matter_of("")
        assert matter_of(f"空调太冷，{placeholder}") == matter_of("空调太冷")
    assert matter_of("账号〔账号〕登录不了").things == {"account"}


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert matter_of("灯" + "好" * 50_000 + "空调").things == {"light"}
