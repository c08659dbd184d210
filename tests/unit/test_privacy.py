"""Nothing that identifies a person may enter the log; nothing else may be lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.privacy import _mask, mask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电话 13800001234。", "电话 〔电话〕。"),
        ("tel13800001234谢谢", "tel〔电话〕谢谢"),
        ("138 0000 1234", "〔电话〕"),
        ("138-0000-1234/139.0000.1234", "〔电话〕/〔电话〕"),
        ("138 000 01234", "〔电话〕"),
        ("+86 13800001234", "〔电话〕"),
        ("(+86)138-0000-1234", "〔电话〕"),
        ("0086-13800001234", "〔电话〕"),
        ("1380\u200b000\u200b1234", "〔电话〕"),
        ("１３８００００１２３４", "〔电话〕"),
        ("١٣٨٠٠٠٠١٢٣٤", "〔电话〕"),
        ("座机010-62751234转8021", "座机〔电话〕"),
        ("(010)62751234", "〔电话〕"),
        ("02162751234", "〔电话〕"),
        ("0755-2675 1234", "〔电话〕"),
        ("电话：62751234", "电话：〔电话〕"),
        ("call +1 415 555 2671 please", "call 〔电话〕 please"),
        ("whatsapp +44 7911 123456", "whatsapp 〔电话〕"),
        ("+852-9123-4567", "〔电话〕"),
        ("微信同号13912345678", "微信同号〔电话〕"),
        ("发到zhang.san+lib@stu.pku.edu.cn吧", "发到〔邮箱〕吧"),
        ("ｚｈａｎｇ＠ｐｋｕ．ｅｄｕ．ｃｎ", "〔邮箱〕"),
        ("zhang (at) pku.edu.cn", "〔邮箱〕"),
        ("2100012345@stu.pku.edu.cn", "〔邮箱〕"),
        ("a@b.co,c@d.org", "〔邮箱〕,〔邮箱〕"),
        ("学号 2100012345，电话 13800001234。", "学号 〔学号〕，电话 〔电话〕。"),
        ("学号：２１０００１２３４５", "学号：〔学号〕"),
        ("我是1900098765", "我是〔学号〕"),
        ("学号是20210123", "学号是20210123"),
        ("学号是2021012399", "学号是〔学号〕"),
        ("学号是0123456", "学号是〔学号〕"),
        ("Student ID: B20190123", "Student ID: 〔学号〕"),
        ("student number 2100-012-345", "student number 〔学号〕"),
        ("11010519491231002X", "〔证件号〕"),
        ("身份证110105 19491231 002x", "身份证〔证件号〕"),
        ("110105194912310021", "〔证件号〕"),
        ("130503670401001", "〔证件号〕"),
        ("护照E12345678", "护照〔证件号〕"),
        ("passport no. AB1234567", "passport no. 〔证件号〕"),
        ("6222020200112233445", "〔证件号〕"),
        ("校园卡号 88001234", "校园卡号 〔账号〕"),
        ("QQ：123456789", "QQ：〔账号〕"),
        ("微信号 zhang_san88", "微信号 〔账号〕"),
    ],
)
def test_personal_data_is_replaced_by_a_readable_word(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "系统说TP311.1/23在架，我在四楼来回找了半个小时",
        "I247.57/4421 那一排",
        "QA76.9 .D3",
        "ISBN 978-7-301-13800-1",
        "ISBN 9787301138007",
        "ISBN 7301138004",
        "ISBN：1234567890",
        "ISBN 123456789X",
        "2024-11-13 15:30 到 2024/11/14 08:00",
        "20241113下午",
        "电话里说20241113可以取",
        "2024年11月13日",
        "三层东区217、研讨室304",
        "罚了12.50元，一共1380元",
        "共 100,000,000 册",
        "request #20931 has been pending",
        "error 403, 第 24 页, 310–320 号桌",
        "DOI 10.1145/3292500.3330701",
        "arXiv:2101.01234",
        "C++11 与 +20%",
        "400-810-8888",
        "@图书馆 你好，看@all",
        "G254.3 和 E271",
        "条码 00123456789012",
        "9:30-11:00 13:30-17:30",
        "比例 3.14159",
        "我叫了三次管理员",
        "微信号称很好用",
        "QQ群里说的",
        "",
    ],
)
def test_other_numbers_and_words_stay(text: str) -> None:
    assert mask(text) == text


digits_and_friends = st.text(alphabet="0123456789 -+.@ax学号电话〔〕：，\n１２\u200b", max_size=60)


@given(digits_and_friends)
@example("学号 12345678901")
@example("a@b.co13800001234")
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(
    st.sampled_from(["", "我", "a ", "，", "号", "(", "\n", "：", "x"]),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "。", " 谢谢", "a", ")", "\n", "，2024", "转"]),
)
def test_no_mobile_number_survives(before: str, number: str, after: str) -> None:
    assert number not in mask(before + number + after)


@given(st.from_regex(r"[12][0-9]{9}", fullmatch=True))
def test_no_student_number_survives(number: str) -> None:
    assert number not in mask(f"学号{number}，急")
    assert number not in mask(f"我是{number}")


@given(st.text(alphabet=st.characters(exclude_categories=["Nd", "Cs"]), max_size=80))
def test_text_without_digits_or_at_signs_is_kept(text: str) -> None:
    plain = re.sub(r"[@＠]|[aA][tT]|微信号|[wvWVｗｖＷＶ][xXｘＸ]", "", text)
    assert mask(plain) == plain


HOSTILE = ["a", "1", "a.", "1 ", "1-", "@", "a@", "a@b.", "+1 ", "学号", "电话1", "身份证 ", "0"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_long_hostile_text_is_masked_and_what_follows_it_too(unit: str) -> None:
    # A pattern that looked back over the whole text at every step would not come to an end here.
    text = (unit * 50_000)[:50_000]
    assert mask(text + "\n电话 13800001234\n").endswith("\n电话 〔电话〕\n")


@given(st.text(alphabet="0123１２３٣ ab@＠(（at)）微信号wxvxＷＸqq电话.-", max_size=40))
def test_the_short_cut_changes_nothing(text: str) -> None:
    assert mask(text) == _mask(text)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("我叫张三，电话 13800001234", "张三", "我叫〔姓名〕，电话 〔电话〕"),
        ("John here, ask JOHN", "john", "〔姓名〕 here, ask 〔姓名〕"),
        ("the Library of Li", "Li", "the Library of 〔姓名〕"),
        ("王老师", "王", "王老师"),
        ("a.b (c)", "a.b (c)", "〔姓名〕"),
        ("nobody", None, "nobody"),
    ],
)
def test_a_name_that_was_given_is_masked_where_it_stands_alone(
    text: str, name: str | None, expected: str
) -> None:
    assert mask(text, name) == expected
