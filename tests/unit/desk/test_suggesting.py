"""What of an earlier answer may be taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.domain.suggesting import MOST, frames_of, said_once, sentences, worth
from shared.privacy import PLACEHOLDERS


def test_sentences_are_offered_without_greetings_and_without_anybody() -> None:
    reply = (
        "同学您好！三层空调已于今天上午修好。\n王老师会再去看一次。请联系[电话]。"
        "张伟同学反映的座位也已处理。如仍然闷热，请告诉台口。查询码 7K3M-9QXA-0BCD 有效。祝好"
    )
    assert sentences(reply) == ["三层空调已于今天上午修好。", "如仍然闷热，请告诉台口。"]


def test_english_is_cut_where_its_sentences_end() -> None:
    reply = "Dear Ms Lee, hello. The printer was repaired today. Please try again. Ms Lee may ask."
    assert sentences(reply) == ["The printer was repaired today.", "Please try again."]


@pytest.mark.parametrize(
    ("reply", "offered"),
    [
        ("您好，二楼空调温度已调低两度，谢谢您的提醒。", ["二楼空调温度已调低两度。"]),
        ("同学您好，三层的灯已换新！感谢您的反馈！祝好", ["三层的灯已换新！"]),
        ("尊敬的读者：您好！空调已于今天修好，再次感谢", ["空调已于今天修好。"]),
        ("同学，卡坏了请到一楼服务台换。", ["卡坏了请到一楼服务台换。"]),
        ("张伟同学您好，灯已经换了新的。", ["灯已经换了新的。"]),
        ("小王你好，灯已经换了新的。", ["灯已经换了新的。"]),
        ("您好，周六，张贴栏换新。", ["周六，张贴栏换新。"]),
        (
            "Hello, you can renew a book twice at most. Overdue books cannot be renewed.",
            ["You can renew a book twice at most.", "Overdue books cannot be renewed."],
        ),
        ("Dear Ms. Lee, the lift runs again, thank you for telling us!", ["The lift runs again."]),
        ("Dear reader,\nThe lamp was replaced.\nBest regards,", ["The lamp was replaced."]),
        ("二楼空调已调好，感谢您的反馈，祝您学习进步、生活愉快！", ["二楼空调已调好。"]),
        ("二楼空调已调好。感谢您的反馈，祝学习愉快！", ["二楼空调已调好。"]),
        ("二楼空调已调好，祝好！顺祝学习愉快。", ["二楼空调已调好。"]),
        ("The lamp was replaced, thank you and have a nice day!", ["The lamp was replaced."]),
        ("Hi there! The lamp was replaced. Many thanks again.", ["The lamp was replaced."]),
    ],
)
def test_of_a_sentence_with_a_greeting_or_thanks_the_rest_is_offered(
    reply: str, offered: list[str]
) -> None:
    assert sentences(reply) == offered


@pytest.mark.parametrize(
    "said",
    [
        "您反映的灯已经修好。",
        "您好像走错了入口。",
        "读者好多，座位不够用。",
        "请对帮忙的人说声谢谢。",
        "周六我们庆祝读书节顺利。",
        "愿意的读者可以报名，活动愉快。",
        "座位已按〔2025〕12号文调整。",
        "Thanks to your note we found the leak.",
        "High shelves are being moved.",
    ],
)
def test_what_only_looks_like_a_greeting_or_thanks_is_offered_as_it_is(said: str) -> None:
    assert sentences(said) == [said]


@pytest.mark.parametrize("reply", ["您好，张伟，灯已经换了。", "Hello, Anna, the lamp is new."])
def test_whoever_is_called_by_name_after_a_greeting_is_not_offered(reply: str) -> None:
    assert sentences(reply) == []


@pytest.mark.parametrize(
    "text", ["", "您好", "谢谢您的来信！", "好。", "!!!", "a" * 400, "13800001234 请打这个号码"]
)
def test_what_is_no_whole_sentence_is_not_offered(text: str) -> None:
    assert sentences(text) == []


@pytest.mark.parametrize("mask", PLACEHOLDERS)
def test_what_was_masked_is_not_offered(mask: str) -> None:
    assert sentences(f"灯已经换了新的。有事请找{mask}。") == ["灯已经换了新的。"]


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


def test_what_was_said_before_is_said_once_and_counted_and_leaves_room_for_another() -> None:
    same = ["厂商已换件。", "请再试。"]
    said = [same, same, [*same, "明天再看。"], same, ["换了新的。"]]
    found = said_once({"feedback_id": n, "sentences": one} for n, one in enumerate(said))
    assert [(one["feedback_id"], one["sentences"], one["answered"]) for one in found] == [
        (0, same, 3),
        (2, ["明天再看。"], 1),
        (4, ["换了新的。"], 1),
    ]


CANNED = (
    "{称呼}：您好！\n您{反映日期}反映的事，{部门}已经处理好：\n\n如有不妥，请随时告诉我们。谢谢您！",
    "{salutation},\nThe seats you told us of on {received} have been cleared by {department}.",
    "{依据}。",
)


def test_what_a_canned_reply_says_is_chosen_there_and_not_offered_once_more() -> None:
    frames = frames_of(CANNED)
    reply = (
        "李同学：您好！\n您5月22日反映的事，空间与读者服务部已经处理好：\n打印机换了新的硒鼓。\n"
        "如有不妥，请随时告诉我们。谢谢您！"
    )
    assert sentences(reply, frames) == ["打印机换了新的硒鼓。"]
    english = "Dear Li,\nThe seats you told us of on 22 May have been cleared by Space. Come again."
    assert sentences(english, frames) == ["Come again."]
    # A variable alone is like anything, and says nothing of what it stands in.
    assert sentences("空调已于今天修好。", frames) == ["空调已于今天修好。"]


def test_what_leads_to_something_else_is_not_offered_alone() -> None:
    assert sentences("二楼的灯已经这样处理：\n换了新的灯管。") == ["换了新的灯管。"]
