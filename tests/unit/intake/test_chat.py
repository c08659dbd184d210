"""What a message in a chat is."""

from __future__ import annotations

import pytest

from services.intake.domain.chat import answers_nothing, asks_anew, is_remark, is_thanks, said_anew

THANKS = """谢谢|谢谢！|好的，谢谢老师|谢谢🙏|好的收到|OK|Thanks!|辛苦了|非常感谢|ok thanks|
thank you very much|Many thanks for your help.|[强]|[玫瑰][玫瑰]|谢谢[抱拳]|[ThumbsUp]|[OK]|
好滴|好嘞|满意|非常满意👍|ok thx 👍|3q|3Q啦|谢啦|明白了|了解了|okok|没问题，谢谢|
谢谢您的耐心解答|感谢图书馆的帮助|很好，点赞|THX！|Perfect, thanks|行，辛苦了|谢谢老师❤️"""
OUTCOMES = """没解决|还是不行|问题还没解决，谢谢|已经好了|解决了，谢谢|not solved|solved|
It still doesn't work|it’s fixed, thanks a lot|Still not working."""
ANYTHING = """空调不行|谢谢，另外三楼空调坏了|男厕没有水|占座||！|好书推荐|感谢信写给谁|没有好书|
不满意|不太满意|[弱]|[发怒]|👎|😡|可以吗|行不行|回复|帮助|没问题吗|谢谢不满意|好滴鸡汤|okra|
那好，什么时候处理|不清楚|满意度问卷|[图片]|强|Wi-Fi|thank you note|the printer is broken|
谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢"""


NO_ANSWER = """收到，稍后回复|[怒]|[疑问][疑问]|稍等|好的，晚点回复您|我晚些再告诉你们|等一下|😡|👎|
[弱]|好的[捂脸]|One moment|I'll get back to you later|ok, will reply tomorrow|[Angry]"""
AN_ANSWER = """晚点去的|晚点|三层|明天|下午再来看看|一会儿热一会儿冷|等了一下午|会|不会|没有|
稍后两排|[图片]|[A]|later than ten|later|[怒]三层|回头路那边|说|不是|yes|no|👎三层"""


@pytest.mark.parametrize("words", (NO_ANSWER + "|" + THANKS).replace("\n", "").split("|"))
def test_what_answers_no_question(words: str) -> None:
    assert answers_nothing(words)


@pytest.mark.parametrize("words", AN_ANSWER.replace("\n", "").split("|"))
def test_what_may_be_an_answer(words: str) -> None:
    assert not answers_nothing(words)


@pytest.mark.parametrize("words", THANKS.replace("\n", "").split("|"))
def test_thanks(words: str) -> None:
    assert is_thanks(words)
    assert is_remark(words)


@pytest.mark.parametrize("words", OUTCOMES.split("|"))
def test_a_remark_on_an_answer(words: str) -> None:
    assert is_remark(words)
    assert not is_thanks(words)


@pytest.mark.parametrize("words", ANYTHING.split("|"))
def test_what_may_be_anything_is_neither(words: str) -> None:
    assert not is_remark(words)
    assert not is_thanks(words)


def test_the_word_for_another_matter() -> None:
    assert all(map(asks_anew, ["新", " 新。", "“新”", "新的反馈", "NEW", "new comment!"]))
    assert not any(map(asks_anew, ["新馆", "新：占座", "news", "", "新新"]))
    assert said_anew("新：占座") == "占座"
    assert said_anew(" New: too cold") == "too cold"
    for words in ("新馆空调太冷", "new laptops please", "新：", "新 书架倒了"):
        assert said_anew(words) is None


@pytest.mark.parametrize(
    "one",
    ["谢", "好", "好的", "没", "还是", "not ", "ok", "thank you ", "嗯", "了", "[强]", "稍后我"],
)
def test_what_repeats_itself_without_end_is_looked_at_no_longer_than_anything(one: str) -> None:
    # With a rule that tries every way to divide it, this would not end.
    assert not is_remark((one * 40)[:29] + "龘")
    assert not answers_nothing((one * 40)[:29] + "龘")
