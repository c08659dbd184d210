"""The matching form: what looks alike to a reader is alike to a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.text import LIMIT, Segments, fold


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("ＷｉＦｉ　慢！", "wifi慢!"),
        ("占 座", "占座"),
        ("占\u200b座\ufeff", "占座"),
        ("\u202e占座\u202c", "占座"),
        ("宿舍 WiFi 慢", "宿舍wifi慢"),
        ("Fire  EXIT\tblocked", "fire exit blocked"),
        ("STRASSE straße", "strasse strasse"),
        ("can’t “open”", 'can\'t "open"'),
        ("漏\u00ad水", "漏水"),
        ("一行 \r\n\r\n 二行", "一行\n二行"),
        ("ﬁre", "fire"),
        ("\u3000 \n\u200b", ""),
        ("漏\x07水", "漏水"),
    ],
)
def test_what_looks_alike_folds_alike(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@given(st.text(max_size=200))
def test_folding_leaves_one_line_of_visible_text(text: str) -> None:
    folded = fold(text)
    assert folded == folded.strip()
    assert "  " not in folded
    assert not set(folded) & set("\u200b\u200d\u202e\ufeff\u00ad\0")


HOSTILE = ["ﷺ", "a\u0315\u0300", "\u0315\u0300", " ", " \n", "占座", "a ", "水", "\uff9e", "İ", "𝕏"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_cut_and_comes_to_an_end(unit: str) -> None:
    assert len(fold(unit * 50_000)) <= LIMIT


def test_letters_with_ordinary_accents_survive() -> None:
    assert fold("Le Cafe\u0301 né") == "le café né"


def test_clauses_end_at_commas_and_sentences_at_full_stops() -> None:
    text = fold("没有冒烟，但是漏水。电梯也停了 v1.5 ok. End")
    segments = Segments(text)
    clause = [segments.index("clause", text.index(word)) for word in ("冒烟", "漏水", "电梯")]
    sentence = [segments.index("sentence", text.index(word)) for word in ("冒烟", "漏水", "电梯")]
    assert clause == [0, 1, 2]
    assert sentence == [0, 0, 1]
    assert segments.index("sentence", text.index("ok")) == 1
    assert segments.index("sentence", text.index("end")) == 2
    assert text[segments.start("clause", text.index("漏水")) :].startswith("但是漏水")
