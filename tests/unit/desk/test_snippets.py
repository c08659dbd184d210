"""Where the words of a search stand in a text."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.search import fold, snippet, spans
from services.desk.wording.labels import marked


def test_a_hit_is_found_however_it_is_written() -> None:
    for text, words in (
        ("图书馆 ＷＩＦＩ 慢", "wifi"),
        ("the Straße", "STRASSE"),
        ("ab\u200bcd", "bc"),
        ("ﬁne print", "fine"),
        ("it's 50%_off", "50%_"),
    ):
        assert [fold(text[begin:end]) for begin, end in spans(text, words)] == [fold(words)], text


def test_a_letter_that_is_several_is_marked_once() -> None:
    assert spans("o\ufb00", "f") == [(1, 2)]


def test_a_text_of_letters_that_are_many_is_looked_through_in_little_room() -> None:
    """A place for each of 180,000 letters took half a second, and as long for the next row."""
    text = "\ufdfa" * 10_000
    assert len(fold(text)) == 180_000
    tracemalloc.start()
    try:
        assert spans(text + "水杯", "水杯") == [(10_000, 10_002)]
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_of_several_words_each_is_marked_where_they_do_not_stand_together() -> None:
    assert spans("打印机1006卡纸", "1006 打印机") == [(0, 3), (3, 7)]
    assert spans("wifi 慢，很慢", "wifi 慢") == [(0, 6)]
    assert spans("abcd", "bcd abc") == [(0, 4)]
    assert spans("灯坏了", "zz1 灯") == [(0, 1)]


def test_what_is_not_there_is_not_found() -> None:
    assert spans("座位", "坐位") == []
    assert spans("座位", "  ") == []
    assert spans("", "x") == []


def test_a_snippet_is_short_and_on_one_line() -> None:
    found = snippet("一\n二" * 100 + "水杯" + "三\r\n四" * 100, "水杯")
    assert found is not None
    before, hit, after = found
    assert hit == "水杯"
    assert before.startswith("…")
    assert after.endswith("…")
    assert "\n" not in before + after
    assert len(before) < 30
    assert len(after) < 80
    assert snippet("水杯", "水杯") == ("", "水杯", "")
    assert snippet("水杯", "茶杯") is None


def test_words_of_others_stay_words() -> None:
    shown = marked("<b>水杯</b> \u202e&amp; 水杯", "水杯")
    assert shown == "&lt;b&gt;<mark>水杯</mark>&lt;/b&gt; &amp;amp; <mark>水杯</mark>"
    assert marked("<水杯>", "<水杯>") == "<mark>&lt;水杯&gt;</mark>"
    assert marked(None, "x") == ""


@given(st.text(max_size=40), st.text(min_size=1, max_size=4))
def test_every_slice_lies_in_the_text_after_the_one_before(text: str, words: str) -> None:
    last = 0
    for begin, end in spans(text, words):
        assert last <= begin < end <= len(text)
        last = end
