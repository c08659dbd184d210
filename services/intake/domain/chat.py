"""What a message in a chat is: the next word about a case, or the beginning of another.

Whoever writes again within `WITHIN` goes on about what was spoken of last. A short word that can
only be about an answer (谢谢, 没解决) is about it for as long as the platform lets us write back.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

WITHIN = timedelta(minutes=10)
AFTER_AN_ANSWER = timedelta(hours=48)
LONGEST_REMARK = 30
"""Characters."""


class Speaking(StrEnum):
    """How a message stands to what was said before it."""

    ON = "on"
    """Of the same, if that is not long ago."""
    REMARK = "remark"
    """Of an answer, where one was the last word in the chat."""
    ANEW = "anew"
    """Of something else: they say so."""


_STOPS = " \t\r\n,.;:!?~，。；：！？～、…\"'“”‘’「」"
_ANEW = frozenset(
    {"新", "新的", "新反馈", "新的反馈", "另一件", "另一件事", "new", "new one", "new comment"}
)
_ANEW_WITH_WORDS = re.compile(r"\s*(?:新|新反馈|new)\s*[:：]\s*(?=\S)", re.IGNORECASE)
_FOR_WHAT = (
    r"(?:谢谢|[感多]?谢)(?:老师|图书馆|你们|您们?)?的?(?:耐心|及时|认真|快速)*"
    r"(?:回复|答复|回答|解答|解决|处理|帮助)"
)
_THANKS = (
    r"好[的滴哒嘞叻呐呢]|得嘞|好|收到|嗯|恩|行|可以的?|没问题|非常|十分|太|多|很|挺|真是|真的|真|"
    r"老师|图书馆|你们|您们?|大家|了解|了|啦|啊|呀|哦|噢|喔|哈|哟|"
    r"谢|感谢|感激|多谢|辛苦|有劳|费心|麻烦您了|知道|明白|清楚|懂|再见|拜拜|"
    r"满意|不错|点赞|赞|棒|给力|完美|三克油"
)
_THANKS_EN = (
    r"okay|okk|(?:ok)+|great|good|nice|fine|perfect|awesome|got it|i see|noted|understood|received|"
    r"many|thank you|thank u|thanks|thanx|thx|tks|ty|3q|cheers|(?:much )?appreciated|very much|"
    r"so much|a lot|again|all|everyone|for your help|for the (?:quick )?(?:reply|answer|help)"
)
_FACES = (
    "强 赞 玫瑰 爱心 心 握手 抱拳 合十 鼓掌 拥抱 ok 好的 胜利 微笑 愉快 憨笑 呲牙 偷笑 转圈 太阳 "
    "礼物 庆祝 烟花 加油 比心 嘿哈 耶 666 可爱 害羞 亲亲 嘴唇 福 发 红包 哇 社会社会 "
    "thumbsup rose heart shake salute clap hug peace smile joyful grin chuckle sun gift party "
    "fireworks worship yeah! blush kiss blessing wow respect"
)
"""As the platform writes those of its own in a message. What frowns is none of them."""
_OTHER_FACES = (
    "怒 发怒 疑问 流泪 大哭 尴尬 撇嘴 发呆 得意 闭嘴 睡 调皮 惊讶 难过 囧 抓狂 吐 白眼 "
    "翻白眼 傲慢 困 惊恐 流汗 汗 咒骂 嘘 晕 衰 骷髅 敲打 再见 擦汗 抠鼻 坏笑 右哼哼 鄙视 "
    "委屈 快哭了 阴险 可怜 弱 凋谢 心碎 失望 脸红 破涕为笑 恐惧 无语 捂脸 奸笑 机智 皱眉 "
    "吃瓜 天啊 叹气 苦涩 裂开 打脸 旺柴 生病 angry shocked sob grimace scream frown awkward "
    "cry surprise facepalm sigh speechless sweat dizzy toasted broken thumbsdown brokenheart "
    "terror drowsy hurt onlooker omg"
)
_FROWNS = (
    "\U0001f44e\U0001f494\U0001f4a2\U0001f595\U0001f610-\U0001f616\U0001f61e-\U0001f629"
    "\U0001f62b\U0001f62d-\U0001f631\U0001f641\U0001f644\U0001f92c\u2639"
)
A_FACE = (
    rf"(?:\[(?:{'|'.join([*_FACES.split(), *_OTHER_FACES.split()])})\]|"
    r"[\U0001f300-\U0001faff\u2600-\u27bf])"
)
"""Any, whether it smiles or frowns: one of the platform's, or an emoji."""
_EMOJI = rf"(?![{_FROWNS}])[\U0001f300-\U0001faff\u2600-\u27bf]"
# Nothing is tried twice: so a message of one word again and again is read in no time.
_THANKED = re.compile(
    rf"(?:{_FOR_WHAT}|{_THANKS}|(?:{_THANKS_EN})(?![a-z'])|"
    rf"\[(?:{'|'.join(_FACES.split())})\]|{_EMOJI}|[\ufe0f\s])++",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"(?:但|可是|可|问题|还是|还|仍然|仍|依然|并|都|也|已经|已|现在|根本|完全)*"
    r"(?:没有?解决|没有?好|没有?用|没有?弄好|没修好|没有?改善|不行|不能用|用不了|不对|解决|修好|弄好|好)"
    r"(?:了|啦|呢|啊)?"
    r"|(?:it |it's |the problem |that |but |is |was |does |did |has |hasn't |isn't |doesn't |"
    r"didn't |still |not |been )*"
    r"(?:solved|resolved|fixed|work|works|working|help|helped|unsolved|broken)(?: now| yet)?",
    re.IGNORECASE,
)
_LATER = (
    r"(?:我|请|先)*(?:稍等|稍候|等一?下|等会儿?|"
    r"(?:等?稍后|晚点|晚些|等?一会儿?|待会儿?|过会儿?|回头|有空)(?:我|再|就|给|来|您|你们?)*"
    r"(?:回复?|答复?|回答|补充|告诉|说))(?:您|你们?|吧|哈|啊)*"
)
_LATER_EN = (
    r"(?:one |just a |wait a )(?:moment|minute|second|sec)|"
    r"(?:i will |i'll |will )?(?:reply|answer|respond|get back(?: to you)?|tell you) "
    r"(?:later|soon|tomorrow|tonight)"
)
_NO_ANSWER = re.compile(
    rf"(?:{_THANKS}|\[(?:{'|'.join([*_FACES.split(), *_OTHER_FACES.split()])})\]|{_EMOJI}|"
    rf"[{_FROWNS}\ufe0f\s])++|{_LATER}|{_LATER_EN}",
    re.IGNORECASE,
)
_APOSTROPHES = str.maketrans({"’": "'", "\u02bc": "'"})


def bare(words: str) -> str:
    """A message without what stands between words, in small letters."""
    return " ".join(words.translate(_APOSTROPHES).casefold().split()).strip(_STOPS)


def asks_anew(words: str) -> bool:
    """True for the word alone by which the last message, or the next, becomes another comment."""
    return bare(words) in _ANEW


def said_anew(words: str) -> str | None:
    """The words of what begins with ``新：``; None for what does not."""
    found = _ANEW_WITH_WORDS.match(words)
    return words[found.end() :] if found else None


def is_thanks(words: str) -> bool:
    """True for thanks alone, which ask for nothing."""
    parts = _parts(words)
    return bool(parts) and all(_THANKED.fullmatch(part) for part in parts)


def answers_nothing(words: str) -> bool:
    """True for what is no answer to a question: thanks, a face, and that the answer comes later."""
    parts = _parts(words)
    return bool(parts) and all(
        _THANKED.fullmatch(part) or _NO_ANSWER.fullmatch(part) for part in parts
    )


def is_remark(words: str) -> bool:
    """True for what can only be about an answer just read: thanks, or whether it helped."""
    parts = _parts(words)
    return bool(parts) and all(
        _THANKED.fullmatch(part) or _OUTCOME.fullmatch(part) for part in parts
    )


def _parts(words: str) -> list[str]:
    """The clauses of a short message; none of a long one."""
    said = bare(words)
    if len(said) > LONGEST_REMARK:
        return []
    return [one for part in re.split(r"[,.;!?~，。；！？～、…]+", said) if (one := part.strip())]


def speaking(words: str) -> Speaking:
    """How these words stand to what was said before."""
    return Speaking.REMARK if is_remark(words) else Speaking.ON
