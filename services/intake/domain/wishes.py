"""What a whole message in a chat may ask for: 催一催, 撤回, 查进展, 帮助; what says nothing yet.

Only where nothing else is said: 座位催一催 is a comment. What is left once polite words are taken
away is looked up, so that a message is read in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from services.intake.domain.chat import A_FACE, LONGEST_REMARK, bare


class Wish(StrEnum):
    """What somebody asks for about the case spoken of."""

    URGE = "urge"
    WITHDRAW = "withdraw"
    YES = "yes"
    """To the question whether to take it back."""
    PROGRESS = "progress"
    HELP = "help"


_ZH: Mapping[Wish, str] = {
    Wish.URGE: "催 催催 催一催 催促 催办 加急",
    Wish.WITHDRAW: "撤回 撤回来 撤销 撤掉 收回 不用办 不用处理",
    Wish.YES: "确认 确定 是 是的 对 对的 确认撤回 确定撤回 确认撤销 确定撤销",
    Wish.PROGRESS: (
        "查询 查进展 查进度 查询进展 查询进度 查一查 看进展 看进度 进展 进度 进展怎么样 进展如何 "
        "进度怎么样 进度如何 进展到哪 怎么样 什么进展 有进展 有什么进展 有没有进展 有消息 "
        "有没有消息 有结果 有没有结果 结果 有答复 有回复 到哪一步 到哪步 走到哪一步 办到哪一步 "
        "处理到哪一步 办得怎么样 办怎么样 处理得怎么样 处理怎么样 办理得怎么样 办理怎么样 "
        "什么时候答复 什么时候回复 什么时候能答复 什么时候能回复 什么时候有结果 多久答复 "
        "多久能答复 还要多久 要多久"
    ),
    Wish.HELP: "帮助 使用帮助 菜单 使用说明 怎么用",
}
_EN: Mapping[Wish, tuple[str, ...]] = {
    Wish.URGE: ("urge", "hurry", "hurry up", "speed up", "nudge", "remind them"),
    Wish.WITHDRAW: ("withdraw", "take back", "retract"),
    Wish.YES: ("yes", "y", "confirm", "yes withdraw", "yes, withdraw", "yes take back"),
    Wish.PROGRESS: (
        *("status", "progress", "any progress", "update", "updates", "any update", "any updates"),
        *("any news", "what's status", "what is status", "how is going", "how's going"),
        *("how far is", "where is", "when will i hear", "when will i get an answer"),
    ),
    Wish.HELP: ("help", "menu", "commands"),
}
_WISHES = {
    **{word: wish for wish, words in _ZH.items() for word in words.split()},
    **{word: wish for wish, words in _EN.items() for word in words},
}
_POLITE = re.compile(
    r"请问|请|麻烦|劳驾|老师们?好?|谢谢|您好|你好|你们|您们?|图书馆|帮我|帮忙|能不能|可不可以|可以|我想|我要|"
    r"现在|目前|一下|这件事|这一?件|那件事|那一?件|这一?条|那一?条|这个|那个|刚才的?|我的|反馈|意见|"
    r"[了吧吗嘛呢啊呀哈]|"
    r"\b(?:please|can you|could you|i want to|i would like to|i'd like to|my|the|this|that|it|"
    r"comment|feedback|now|thanks)\b"
)
_CALLS = """
你好 您好 你们好 您们好 老师好 老师您好 老师你好 大家好 嗨 嘿 哈喽 哈啰 在吗 在么 在嘛 你好在吗
您好在吗 人工 转人工 人工客服 人工服务 转人工客服 客服 hi hello hey
"""
_HELLO = frozenset(_CALLS.split())
_SIGNS = re.compile(rf"(?:{A_FACE}|[\ufe0f\u200d\u20e3\s!?~，。,.！？～、…\d])++", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s!?~，。,.！？～、…]+")
_MOST_DIGITS = 2
"""More of them may be a seat, a room, a telephone number."""


def wish_of(words: str) -> Wish | None:
    """What the message asks for; None for one that says something."""
    said = bare(words)
    if len(said) > LONGEST_REMARK:
        return None
    if said in _WISHES:
        return _WISHES[said]
    left = " ".join(_POLITE.sub(" ", _BETWEEN.sub(" ", said)).split())
    # Between Chinese words nothing stands.
    return _WISHES.get(left) or _WISHES.get(left.replace(" ", ""))


def names_withdrawal(words: str) -> bool:
    """Whether a yes says to what."""
    return any(word in bare(words) for word in ("撤", "withdraw", "take"))


def says_nothing_yet(words: str) -> bool:
    """True for a greeting, a call for somebody, a face, a digit or signs alone: nobody could tell
    what it is about. What may be a cry for help (有人吗, 快来) is none of these."""
    said = bare(words)
    if len(said) > LONGEST_REMARK:
        return False
    if _SIGNS.fullmatch(words.strip()):
        return sum(sign.isdigit() for sign in said) <= _MOST_DIGITS
    return _BETWEEN.sub("", re.sub(A_FACE, "", said)) in _HELLO
