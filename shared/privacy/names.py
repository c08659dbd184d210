"""A name that somebody gave, masked where it stands as a name.

Most names are nothing else, and are masked wherever they stand. Some are words (安静, 文献, Will):
those are masked only where what stands around them says that a person is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

NAME = "〔姓名〕"

_NEAR = 24
"""Characters around a name that are looked at."""

# People are called by these words; a capital in the middle of a sentence tells the two apart.
_ENGLISH = frozenset(
    """
    abbey amber angel art ash autumn bay bill blake bliss bob brook chance charity chase chip
    christian clay cliff coral crystal daisy dale dash dawn dean destiny don dot drew duke earl
    faith fern flora forest frank gale gene ginger glen grace grant guy harmony harry hazel
    heath holly honey hope hunter iris ivy jack jade jasmine jet jewel joy kit lance lane
    laurel lily linden major mark max melody mercy merry miles misty nick noble norm olive pat
    patience pearl penny pepper poppy precious prince rain ray reed reef rich river rob robin
    rock rocky rose ruby rusty sage sandy scout serenity skip sky sonny star stella sterling
    storm sue sunny sunshine tab tiger trinity tucker van victor violet wade ward will willow
    woody wren young baker banks bell berry bird bishop black book books brown bush butler
    carpenter case church cook cross day dear field fields fish fisher fox good gray green hall
    hill house hunt key king knight lake law lee little long love luck marsh mason may mills
    moon moore north page park parker parks price queen reader rice rivers short small snow
    steel stone street student summer swan teacher walker wall waters webb weeks west white
    wise wolf wood woods word words anonymous nobody someone none user library test
    """.split()  # noqa: SIM905
)
_CALENDAR = frozenset(
    """april august autumn friday june may monday saturday spring summer sunday thursday tuesday
    wednesday winter""".split()  # noqa: SIM905
)
"""Words with a capital of their own."""

_TITLE = "同学|老师|先生|女士|小姐|教授|博士|师傅|学长|学姐|学弟|学妹|阿姨|叔叔"
_BEFORE = re.compile(
    r"(?:[我他她]叫|名叫|叫做|名字[是叫为]?|姓名[是为]?|本人[是叫]?|[我他她]是|署名|落款|联系人"
    r"|此致|[—–]{1,2}|(?:^|\n)[-~〜])[ \t\u3000]*[:：]?[ \t\u3000]*$"
)
_ENDS = re.compile(r"[ \t\u3000]*(?:$|[\n，,。.;；、!！?？)）(（〔~])")
_TITLED = re.compile(rf"[ \t\u3000]?(?:{_TITLE})(?!们)")
_BEGINS = re.compile(r"(?:^|[\s，,。.;；:：!！?？(（、])$")
_REACHED = re.compile(
    r"[ \t\u3000，,：:（(]{0,3}(?:学号|工号|电话|手机|微信|邮箱|tel|phone|mail)?"
    r"[ 是为:：]{0,2}〔(?!姓名)",
    re.IGNORECASE,
)
_SIGNED_BEFORE = re.compile(r"\n[ \t\u3000]*(?:[-—–~〜]{1,3}|by|from)?[ \t\u3000]*$", re.IGNORECASE)
_SIGNED_AFTER = re.compile(
    r"[ \t\u3000]*(?:敬上|谨上|上|留)?[ \t\u3000。.!！~]*(?:\n[\s\d年月日号./:：-]*)?$"
)
_CALLED = re.compile(
    r"(?:\bname(?:'s| is|:)|\bI am|\bI'm|\bI’m|\bcall(?:ed)? me|\bnamed"
    r"|\b(?:mr|mrs|ms|miss|dr|prof)\.?|\b(?:ask|tell|contact|call|e-?mail|phone)"
    r"|\b(?:dear|hello|hi|regards|best|thanks|sincerely|cheers|yours|signed)[,!]?)\s+$",
    re.IGNORECASE,
)
_MID_SENTENCE = re.compile(
    r"(?:(?<![A-Za-z])(?!(?:the|an?|this|that|my|our|your|each|every|no|any)\b)"
    r"[a-z][a-z'’]*[,;]?[ \t]+"
    r"|[(（）、，：:\u4e00-\u9fff][ \t]*)$"
)
_PERSON_AFTER = re.compile(r" here\b|['’]s (?!been|going|not|a\b|the\b)")


def mask_name(text: str, name: str) -> str:
    """`text` with `name`, of two letters or more, masked where it stands as a name."""
    if len(name) < 2 or name.casefold() not in text.casefold():
        return text
    stands: Callable[[str, str, str], bool] | None = None
    if name.isascii():
        if name.casefold() in _ENGLISH | _CALENDAR:
            stands = _stands_english
    elif name in ordinary_words():
        stands = _stands_chinese

    def replace(match: re.Match[str]) -> str:
        before = text[max(0, match.start() - _NEAR) : match.start()]
        if match.start() <= _NEAR:
            before = "\n" + before  # the text begins here, as a line does
        after = text[match.end() : match.end() + _NEAR]
        if stands is None or stands(match[0], before, after):
            return NAME
        return match[0]

    alone = rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])"
    return re.sub(alone, replace, text, flags=re.IGNORECASE)


def _stands_chinese(found: str, before: str, after: str) -> bool:
    if _BEFORE.search(before) and (_ENDS.match(after) or _TITLED.match(after)):
        return True
    if _TITLED.match(after) or (_BEGINS.search(before) and _REACHED.match(after)):
        return True
    return _signed(before, after)


def _stands_english(found: str, before: str, after: str) -> bool:
    if not found[0].isupper():
        return False
    if _CALLED.search(before) or _REACHED.match(after) or _PERSON_AFTER.match(after):
        return True
    if found.casefold() not in _CALENDAR and not found.isupper() and _MID_SENTENCE.search(before):
        return True
    return _signed(before, after)


def _signed(before: str, after: str) -> bool:
    """The last line, alone, perhaps with a date below; never the only line."""
    return bool(
        _SIGNED_BEFORE.search(before)
        and before.strip(" \t\u3000\n-—–~〜")
        and _SIGNED_AFTER.fullmatch(after)
    )


@cache
def ordinary_words() -> frozenset[str]:
    """Ordinary words that begin like a name, and what people write where a name is asked for."""
    return frozenset(Path(__file__).with_name("ordinary_words.txt").read_text("utf-8").split())
