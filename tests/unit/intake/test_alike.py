"""Which open incidents a comment may be about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.intake.domain.alike import MOST, alike, chosen

LETTERS = Path(__file__).parents[1] / "routing" / "corpus.jsonl"


@dataclass(frozen=True)
class Incident:
    title: str
    text: str


COLD = Incident("三层空调停机", "三层阅览室的空调机组故障，正在抢修，预计周五恢复。")
AWAY = Incident("校外访问登录异常", "统一认证升级后，部分读者校外登录数据库会跳回首页，正在处理。")
JSTOR = Incident("JSTOR 暂时无法访问", "JSTOR platform is down, we have asked the vendor.")
KIOSK = Incident("自助借还机停用", "一层大厅的自助借还机扫码故障，请到总服务台借书还书。")
ALL = (COLD, AWAY, JSTOR, KIOSK)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("三层阅览室的空调从昨天下午就不制冷了，热得没法看书。", COLD),
        ("人在深圳实习，统一认证登录成功后跳回首页死循环。", AWAY),
        ("Alumni account can't access ＪＳＴＯＲ since Monday", JSTOR),
        ("自助借还机第三台屏幕一直黑的", KIOSK),
    ],
)
def test_the_same_fault_in_other_words_is_offered(words: str, about: Incident) -> None:
    assert alike(words, ALL) == [about]


@pytest.mark.parametrize(
    "words",
    ["", "图书馆的", "三层东区217一上午都是一个水杯占着", "12345 67890", "请问本科生能借几本？"],
)
def test_what_is_about_something_else_is_not(words: str) -> None:
    assert alike(words, ALL) == []


def test_of_many_the_likeliest_few_are_offered() -> None:
    others = [Incident(f"三层空调停机{n}", "") for n in "甲乙丙丁"]
    assert alike("三层阅览室的空调机组不制冷", [*others, COLD])[0] == COLD
    assert len(alike("三层阅览室的空调机组不制冷", [*others, COLD])) == MOST


def test_of_803_letters_few_see_an_offer_for_one_of_four_incidents() -> None:
    letters = [json.loads(line)["text"] for line in LETTERS.read_text().splitlines()]
    offered = [words for words in letters if alike(words, ALL)]
    assert 5 <= len(offered) <= 12


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("1", 0),
        ("１。", 0),
        (" 2 ", 1),
        ("【3】", 2),
        ("我也遇到了！", 0),
        ("Me too", 0),
        ("4", None),
        ("11", None),
        ("1 楼也这样", None),
        ("", None),
        ("。", None),
        ("1" * 5000, None),
    ],
)
def test_a_number_in_the_chat_chooses_and_a_sentence_with_one_does_not(
    words: str, number: int | None
) -> None:
    assert chosen(words) == number
