from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.search import (
    findable,
    findable_private,
    fold,
    number,
    pattern,
    pattern_private,
    spans,
    words_of,
)


def matches(words: str, text: str) -> bool:
    """LIKE, as PostgreSQL does it."""
    regex, escaped = "", False
    for c in pattern(words):
        if escaped:
            regex, escaped = regex + re.escape(c), False
        elif c == "\\":
            escaped = True
        else:
            regex += ".*" if c == "%" else re.escape(c)
    return re.fullmatch(regex, findable("", text), re.DOTALL) is not None


WORDS = st.text(alphabet="ab%_\\占座 ", max_size=6)


@given(WORDS, WORDS)
def test_the_doubled_text_holds_the_doubled_word_exactly_when_the_text_holds_the_word(
    words: str, text: str
) -> None:
    assert matches(words, text) == (fold(words) in "\n" + fold(text))


def test_case_width_and_what_cannot_be_seen_make_no_difference() -> None:
    assert matches("wifi", "Ｗi\u200bＦｉ")
    assert matches("占座", "占\u202e座")


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("13800001234", "电话 138-0000 1234。", True),
        ("138 0000-1234", "电话13800001234", True),
        ("１３８‐００００ １２３４", "13800001234", True),
        ("(010) 6275-1051", "010-62751051", True),
        ("13911112222", "138-0000 1234", False),
        ("1012", "1. 10, 2. 12", False),
        ("小明", "王小明", True),
        ("a@b.cn", "A@b.cn", True),
    ],
)
def test_a_number_is_found_however_it_is_divided(typed: str, text: str, found: bool) -> None:
    wanted = pattern_private(typed).strip("%").replace("\\", "")
    assert (wanted in findable_private(text)) is found


def test_nobody_is_found_where_nobody_is_known() -> None:
    assert findable_private(None, "", None) == ""


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("1234", "%1234%"),
        ("８\u200b8８", "%888%"),
        ("B7 座，217", "%7 217%"),
        ("0001-2345", "%0001 2345%"),
    ],
)
def test_a_number_is_asked_for_as_it_stands_among_the_numbers_of_a_text(
    typed: str, asked: str
) -> None:
    assert number(typed) == asked


@pytest.mark.parametrize(
    ("typed", "apart"),
    [
        ("打印机 1006", ("1006", "打印机")),
        (" 灯\u3000zz1  灯 ", ("zz1", "灯")),
        ("占座", ("占座",)),
        ("138 0000 1234", ("138 0000 1234",)),
        ("+86 (138) 0000-1234", ("+86 (138) 0000-1234",)),
        ("a b c d e f g h i", ("a b c d e f g h i",)),
        ("\u200b 灯", ("灯",)),
        ("  ", ("",)),
    ],
)
def test_what_blanks_divide_is_looked_for_apart_but_a_number_is_one(
    typed: str, apart: tuple[str, ...]
) -> None:
    assert words_of(typed) == apart


@pytest.mark.parametrize(
    "typed", ["“水杯”", '"水杯"', "「水杯」", "水杯？", " 水杯！ ", "《水杯》", "（水杯）"]
)
def test_the_marks_around_a_word_are_not_looked_for(typed: str) -> None:
    assert words_of(typed) == ("水杯",)
    assert spans("桌上一个水杯占着", typed) == [(4, 6)]


@pytest.mark.parametrize(
    ("typed", "apart"),
    [
        ("217座", ("217", "座")),
        ("三层217", ("217", "三层")),
        ("２１７座？", ("２１７", "座")),
        ("5楼", ("5楼",)),
        ("24小时", ("24小时",)),
        ("“书单” 217号座", ("217", "书单", "号座")),
        ("A217", ("A217",)),
        ("?!", ("?!",)),
        ("“217”", ("217",)),
    ],
)
def test_a_room_or_a_seat_stands_apart_from_what_is_written_beside_it(
    typed: str, apart: tuple[str, ...]
) -> None:
    assert words_of(typed) == apart
    (begin, end), *_ = spans(
        "三层西区 217 座一上午没人，书单 5楼 24小时 A217 ?! 号座 ２１７", typed
    )
    assert begin < end
