"""A reply is looked at before it is sent."""

from __future__ import annotations

import pytest

from services.desk.domain.hints import hints

GOOD = "王同学您好：三层东区的占座物品今天上午已经清理，以后每两小时巡查一次。感谢您的反馈！"
GOOD_EN = "Dear reader, the projector in room 204 was replaced this morning and works again."


def codes(text: str, **more: object) -> list[str]:
    return [code for code, _, _ in hints(text, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [GOOD, GOOD_EN])
def test_a_good_reply_gets_no_hint(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "已回复",
        "已处理。",
        "您好，已处理。",
        "已转相关部门",
        "您反映的问题已处理完毕，谢谢！",
        "已办结",
        "已收到",
        "Done.",
        "已转办",
    ],
)
def test_a_bare_word_is_no_answer(text: str) -> None:
    assert "bare" in codes(text)


@pytest.mark.parametrize(
    ("text", "short"), [("您好，修好了", True), ("您好，已修好。一二三四", False), ("ok", True)]
)
def test_ten_characters_say_nothing(text: str, short: bool) -> None:
    assert ("short" in codes(text)) is short


def test_what_does_not_show_does_not_make_it_long() -> None:
    assert "short" in codes("您好\u200b\u200b\u200b\u200b\u200b\u200b\u200b \n\n     修好了")


@pytest.mark.parametrize(
    ("text", "greets"),
    [("Hi, the lamp is repaired now.", True), ("灯已经换好，现在可以正常使用。", False)],
)
def test_a_letter_begins_with_a_greeting(text: str, greets: bool) -> None:
    assert ("greeting" not in codes(text)) is greets


@pytest.mark.parametrize(
    "held", ["13800001234", "zhang@pku.example.edu", "11010519491231002X", "学号 2100012345"]
)
def test_what_belongs_to_somebody_is_pointed_at(held: str) -> None:
    text = f"{GOOD}请联系 {held}。"
    assert codes(text) == ["personal_data"]


def test_whoever_writes_reads_what_stands_on_the_page_instead() -> None:
    text = f"{GOOD}请拨 13800001234 或 010-62751051，写信到 a@example.com。"
    ((_, zh, en),) = hints(text)
    assert "读者在网页上看到的是 〔电话〕〔邮箱〕，" in zh
    assert "the reader sees 〔电话〕〔邮箱〕;" in en
    assert codes(f"{GOOD}〔电话〕") == ["masked"]


def test_the_librarys_own_telephone_and_address_are_nobodys() -> None:
    text = f"{GOOD}请拨打 010-62751051，或写信到 desk@lib.example.edu。"
    assert codes(text, own={"lib.example.edu"}) == []


def test_a_rule_is_cited_where_there_is_one() -> None:
    assert codes(GOOD, cites_rules=True) == ["rule"]
    assert codes(GOOD, cites_rules=True, rule="借阅规则 第 12 条") == []


@pytest.mark.parametrize(
    ("said", "hinted"),
    [
        ("我们会尽快修复。", True),
        ("我们马上处理，您稍后再来看看。", True),
        ("我们会尽快修复，最迟 3 月 8 日完成。", False),
        ("我们会尽快在三个工作日内修复。", False),
        ("我们会尽快修复。今天已报修。", True),
        ("We will repair it soon.", True),
        ("We will repair it soon, by Friday.", False),
        ("It is repaired as soon as possible, within 3 days.", False),
    ],
)
def test_a_promise_has_a_date(said: str, hinted: bool) -> None:
    text = f"您好，感谢反馈。{said}"
    assert ("date" in codes(text)) is hinted


@pytest.mark.parametrize("text", ["", "已" * 50_000, "已处理" * 16_000, "尽快1" * 16_000])
def test_no_text_takes_long(text: str) -> None:
    hints(text)


@pytest.mark.parametrize(
    ("text", "hole"),
    [
        ("李同学：您好！\n您反映的事已经处理好：\n\n如有不妥，请随时告诉我们。谢谢您！", True),
        ("李同学：您好！\n您反映的事已经处理好：\n \n\n如有不妥，请告诉我们。", True),
        ("李同学：您好！处理结果如下：", True),
        ("Dear Li,\nIt has been put right:\n\nIf anything is amiss, let us know.", True),
        ("李同学：您好！\n您反映的事已经处理好：\n换了硒鼓。\n如有不妥，请随时告诉我们。", False),
        ("李同学：您好！\n已经处理好：\n\n换了新的硒鼓。\n\n如有不妥，请告诉我们。", False),
        ("李同学：您好！\n请这样做：\n\n1. 退出登录", False),
        ("李同学：\n您好！东区的座位今天上午已经清理。", False),
    ],
)
def test_a_frame_that_nobody_filled_is_seen(text: str, hole: bool) -> None:
    assert ("hole" in codes(text)) is hole


def test_a_reader_of_english_is_not_answered_in_chinese_alone() -> None:
    assert "language" in codes(GOOD, english=1)
    assert "language" not in codes(GOOD)
    assert "language" not in codes(GOOD_EN, english=1)
    assert "language" not in codes(f"{GOOD}\n\n{GOOD_EN}", english=2)
    ((_, zh, en),) = [one for one in hints("网络已恢复。", english=3) if one[0] == "language"]
    assert (zh.startswith("3 位"), "3" in en) == (True, True)
