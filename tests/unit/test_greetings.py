"""What says nothing yet, and what says something."""

from __future__ import annotations

import pytest

from shared.greetings import says_nothing

NOTHING = """
你好|您好|hi|hello|早上好|老师好|在吗|你好，有人吗|1|测试|有人吗|?|？|👍|…|111|喂喂喂|哈哈哈
老师您好，请问在吗|我想反映个问题|今天有点事想反映|我要投诉|你好呀老师|快点|急急急|你好，请问可以在这里反映问题吗？|13812345678|〔电话〕|ＨＩ
Good morning!|Hello, is anybody there?|Hi, I have a question|excuse me
"""
SOMETHING = """
冷|厕所|你好冷|你好，二楼的自习室空调太冷了|有人打架|着火了|救命|火|SOS|help|wifi|意见箱满了
我想要一本书|谢谢|好的|不满意|no power|Привет|今天好吵|有人晕倒了|有人占座
"""


@pytest.mark.parametrize("words", ["", *NOTHING.strip().replace("\n", "|").split("|")])
def test_greetings_signs_and_numbers_say_nothing(words: str) -> None:
    assert says_nothing(words)
    assert says_nothing(words, f" {words}\n")


@pytest.mark.parametrize("words", SOMETHING.strip().replace("\n", "|").split("|"))
def test_a_word_that_is_left_says_something(words: str) -> None:
    assert not says_nothing(words)
    assert not says_nothing("你好", words)


def test_nobody_greets_at_length() -> None:
    assert not says_nothing("你好" * 40)
    assert not says_nothing("哈" * 50_000)
