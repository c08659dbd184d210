"""What a reply lacks before it is sent: hints, not walls."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from services.desk.domain.canned import masks_left, unfilled
from shared.privacy import PLACEHOLDERS, mask

Hint = tuple[str, str, str]
"""Code, Chinese, English."""

SHORT = 10
"""Visible characters that say nothing yet."""
_GREETING = re.compile(
    r"您好|你好|尊敬|敬爱|亲爱|同学|老师|读者"
    r"|\b(?:hello|dear|hi|good (?:morning|afternoon|evening))\b",
    re.IGNORECASE,
)
_BEGINNING = 40
_DONE = re.compile(
    r"(?:您\w{0,12}?)?(?:此件|此事|该问题|问题|以上|我们|我部|本部门)?(?:均|现|目前)?已经?(?:都|全部)?"
    r"(?:回复|答复|处理|办理|办结|转|转办|转交|转达|转告|解决|知悉|收到|阅|落实|反馈|核实)"
    r"(?:完毕|完成|相关部门|有关部门|相关老师|了)*(?:谢谢|感谢反馈|感谢您的反馈)?"
    r"|(?:done|fixed|resolved|replied|handled|forwarded|noted|received)"
)
_PROMISE = re.compile(
    r"尽快|尽早|马上|立即|立刻|即刻|近期|近日|不久|稍后|抓紧|适时|择期|争取早日"
    r"|\b(?:soon|shortly|asap|as soon as possible|immediately|promptly|right away|in due course)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\d{1,2}\s*[月日号]|[一二三四五六七八九十][月日号]|\d{4}\s*[-/.年]\s*\d|\d{1,2}[/.]\d{1,2}(?!\d)"
    r"|(?:周|星期|礼拜)[一二三四五六日天]|今天|明天|后天|今晚|本周|下周|本月|下月|月底|学期|暑假|寒假"
    r"|[\d一二两三四五六七八九十半]\s*个?(?:工作日|小时|分钟|天|周|月)"
    r"|\b\d+\s*(?:working |business )?(?:minutes?|hours?|days?|weeks?)\b"
    r"|\b(?:today|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d|\b\d{1,2} (?:january|"
    r"february|march|april|may|june|july|august|september|october|november|december)\b"
    r"|\b(?:this|next) (?:week|month|term)\b",
    re.IGNORECASE,
)


# A colon at the end of a line that an empty one follows, or nothing.
_COLON = re.compile(r"[：:][ \t\u3000]*+(?:\n[ \t\u3000]*(?=\n)|\s*+\Z)")
_CLOSING = 70
"""Characters of a last line that is a courtesy, not an answer."""
_ITEM = re.compile(r"\s*(?:[\d一二三四五六七八九十]+[.、）)．]|[-•·*（(])")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")
_SENTENCE = 4
"""Words of English that may be said to a reader of English."""
_VERSION = re.compile(
    r"\d|[〇零一二三四五六七八九十]年|[试暂]行|现行|\b(?:edition|version)\b", re.IGNORECASE
)


def hints(
    text: str,
    *,
    rule: str | None = None,
    cites_rules: bool = False,
    own: Collection[str] = (),
    english: int = 0,
) -> list[Hint]:
    """What the writer of `text` may want to look at again, in the order of a letter.

    `cites_rules`: replies in this category go by a rule; `own`: addresses of the library;
    `english`: how many of who gets it read English.
    """
    found: list[Hint] = []
    plain = "".join(c for c in text if unicodedata.category(c)[0] in "LN")
    if sum(unicodedata.category(c)[0] in "LNPS" for c in text) <= SHORT:
        found.append(("short", "答复太短，读者看不出结果。", "Too short to tell what was done."))
    if _DONE.fullmatch(plain.lower()):
        found.append(
            (
                "bare",
                "只说“已处理”不够，请写明做了什么、结果如何。",
                "“Done” alone is not an answer: say what was done, and with what result.",
            )
        )
    if not _GREETING.search(text[:_BEGINNING]):
        found.append(("greeting", "开头没有称呼或问候。", "There is no greeting."))
    if has_a_hole(text):
        found.append(
            (
                "hole",
                "冒号后面空着：做了什么、结果如何，请写在那里。",
                "Nothing follows the colon: say there what was done, and with what result.",
            )
        )
    found += in_another_language(text, english)
    found += hidden(text, own)
    if left := unfilled(text):
        named = "".join(left)
        found.append(
            (
                "variables",
                f"还有没有填上的：{named}",
                f"Still to be filled in: {named}",
            )
        )
    if left := masks_left(text):
        named = "".join(left)
        found.append(
            (
                "masked",
                f"这里有隐去的内容：{named}。请写上它该是什么，或者去掉。",
                f"Something is masked here: {named}. Write what it should be, or leave it out.",
            )
        )
    if cites_rules and not rule:
        found.append(
            ("rule", "这一类通常要写明依据的规定。", "Replies of this category cite a rule.")
        )
    if rule and not _VERSION.search(rule):
        found.append(
            (
                "rule_version",
                "依据没有写明是哪一版（年份、版本或文号）。",
                "The rule does not say which version it is: a year, an edition, a number.",
            )
        )
    promises = [sentence for sentence in _sentences(text) if _PROMISE.search(sentence)]
    if not all(_DATE.search(sentence) for sentence in promises):
        found.append(
            (
                "date",
                "说了“尽快”一类的话，但没有写日期。",
                "It promises something soon, without a date.",
            )
        )
    return found


def has_a_hole(text: str) -> bool:
    """Whether a line that ends in a colon is followed by nothing, or by an empty line and no more
    than a closing: a frame that nobody has put anything into."""
    colons = list(_COLON.finditer(text))
    if not colons:
        return False
    # After any but the last stands at least the line of that one, and what follows it.
    rest = [line for line in text[colons[-1].end() :].splitlines() if line.strip()]
    return not rest or (len(rest) == 1 and len(rest[0]) <= _CLOSING and not _ITEM.match(rest[0]))


def in_another_language(text: str, english: int) -> list[Hint]:
    """That so many who will read it read English, and it has none."""
    if not english or not _CHINESE.search(text) or len(_WORD.findall(text)) >= _SENTENCE:
        return []
    return [
        (
            "language",
            f"{english} 位读者读英文，这里没有英文。",
            f"Readers of English: {english}; there is no English here.",
        )
    ]


def hidden(text: str, own: Collection[str] = ()) -> list[Hint]:
    """What the page shows instead of what is somebody's own, where letters have it as written."""
    shown = mask(text, own=own)
    stands = [one for one in PLACEHOLDERS if shown.count(one) > text.count(one)]
    if not stands:
        return []
    named = "".join(stands)
    return [
        (
            "personal_data",
            f"读者在网页上看到的是 {named}，只有邮件、微信里才有原文；"
            "没留联系方式的读者就看不到了。"
            "请改写图书馆的座机、邮箱或去哪里问；一定要写，请确认可以告诉这位读者。",
            f"On the page the reader sees {named}; only mail and WeChat have it as written, and "
            "who left no address never sees it. Name a landline or an address of the library, or "
            "where to ask; if it has to stand, is it for this reader to know?",
        )
    ]


def without_them(names: Collection[str]) -> list[Hint]:
    """That these departments were asked for a part, and have not answered yet."""
    if not names:
        return []
    zh, en = "、".join(names), ", ".join(names)
    return [
        (
            "parts",
            f"请{zh}协办的事还没有回音；现在答复，就不再等他们。",
            f"Asked to help and not answered yet: {en}. A reply now no longer waits for them.",
        )
    ]


def _sentences(text: str) -> list[str]:
    return re.split(r"[。！？；!?;\n]|\.(?:\s|$)", text)
