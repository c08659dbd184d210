"""What of an earlier answer may be taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.domain.suggesting import MOST, sentences, worth


def test_sentences_are_offered_without_greetings_and_without_anybody() -> None:
    reply = (
        "同学您好！三层空调已于今天上午修好。\n王老师会再去看一次。请联系[电话]。"
        "张伟同学反映的座位也已处理。如仍然闷热，请告诉台口。查询码 7K3M-9QXA-0BCD 有效。祝好"
    )
    assert sentences(reply) == ["三层空调已于今天上午修好。", "如仍然闷热，请告诉台口。"]


def test_english_is_cut_where_its_sentences_end() -> None:
    reply = "Dear Ms Lee, hello. The printer was repaired today. Please try again. Ms Lee may ask."
    assert sentences(reply) == ["The printer was repaired today.", "Please try again."]


@pytest.mark.parametrize("text", ["", "好。", "!!!", "a" * 400, "13800001234 请打这个号码"])
def test_what_is_no_whole_sentence_is_not_offered(text: str) -> None:
    assert sentences(text) == []


def test_no_more_than_some() -> None:
    assert len(sentences("".join(f"第{n}件事已经处理好了。" for n in range(50)))) == MOST


def test_a_better_example_comes_first() -> None:
    new, old = timedelta(days=1), timedelta(days=700)
    assert worth(0.7, stars=5, reopened=False, age=new) > worth(
        0.7, stars=None, reopened=False, age=new
    )
    assert worth(0.7, stars=None, reopened=False, age=new) > worth(
        0.7, stars=None, reopened=True, age=new
    )
    assert worth(0.7, stars=3, reopened=False, age=new) > worth(
        0.7, stars=3, reopened=False, age=old
    )
