"""A name behind 我是, 本人 or I am, where most often none stands (我是大三的, I am Chinese).

It has to be what can be a name and end where one would. 我是物理系的张三 is one, too. English ones
have two words, with capitals or in pinyin. Not recognised: I am Jane, jane whitfield in small
letters, 我是张三的室友, 本人曾小明 (本人曾反映).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from shared.privacy.introduced import CHINESE_END, CHINESE_NAME, is_given, is_word
from shared.privacy.names import NAME

_OF = (
    "(?:系|院|专业|[班级届]|馆|部|所|大学|中心)的?"
    "|学生|研究生|本科生|博士生|硕士生|毕业生|新生|读者|校友|老师|教师|职工|同学|博士|硕士"
)
_CHINESE = re.compile(
    r"(?:我就?是|(?P<formal>本人)是?)[ \t\u3000]{0,3}"
    rf"(?:[\u3400-\u9fffA-Za-z0-9]{{0,16}}?(?:{_OF}))?"
    rf"(?P<name>{CHINESE_NAME}){CHINESE_END}"
)
_ADVERBS = "曾常向于"
"""Surnames that most often are none behind 本人."""
_DAYS = re.compile("于[昨今明本上下周前当此]")
_KINDS = "人员者户族粉迷党控系院科班级部馆队"
"""我是江苏人, 我是程序员: no name of three letters ends so."""
_ALSO = "生师客长于在从后前时中内外上下里点"
"""The same behind a word: 高中生, 毕业于; 陈文生 is a name."""
_NO_NAMES = frozenset(
    re.split(
        " ", "常客 房客 房东 蓝领 童工 牛人 单亲 成教 易班 龙套 左撇子 段子手 夏令营 孟加拉 阳性"
    )
)
_WORD = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ'’\-]{1,30}"
_END = r"(?=[ ]*(?:$|[^\w\s'’\-]|\n)|[ ]+(?:from|and|here)\b)"
_ENGLISH = re.compile(
    rf"\b(?i:I(?: am|['’]m))[ ]{{1,3}}"
    rf"(?P<name>{_WORD}(?:[ ](?:{_WORD}|[A-Z]\.|van|von|de|der|la|bin|al)){{0,3}}[ ]{_WORD}){_END}"
)
_NOBODY = frozenset(
    """
    a about afraid all also always american an angry annoyed at australian british canadian center
    chinese club college computer currently department disabled disappointed doctoral dutch
    exchange faculty first foreign french freshman german glad graduate guest happy hong honours
    in international japanese junior just korean law library major master master's masters medical
    muslim never new no north not now old on part peking ph.d phd postdoc professor reader really
    russian scholar school science second senior society so sophomore sorry south spanish staff
    student sure teacher team the third tired too undergraduate university unhappy upset very
    visiting visitor year
    """.split()  # noqa: SIM905
)
"""Words with a capital that say what somebody is, not who."""
_SYLLABLE = (
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:[iu]ang|iong|[aeio]ng|iao|ian|uai|uan|i[aeun]|u[aoine]|[aeo]i|[ao]o|ou|[ae]n|er|[aeiouv])"
)
_PINYIN = re.compile(
    rf"\b(?i:my name(?: is|['’]s)|I(?: am|['’]m))[ ]{{1,3}}"
    rf"(?P<name>(?:{_SYLLABLE}){{1,2}}(?:[ ](?:{_SYLLABLE}){{1,2}}){{1,2}}){_END}"
)
_SURNAMES = frozenset(
    """
    bai cai cao chen cheng cui deng ding du fu gao guo han hou huang hu jiang jia jin kang kong lai
    lei li liang liao lin liu lu luo lv meng ouyang pan peng qian qiao qin qiu ren shao shen shi
    sima su tian wang wei wu xia xiang xiao xie xiong xu xue yan yang yao ye yin yu yuan zeng zhang
    zhao zheng zhong zhou zhu zou
    """.split()  # noqa: SIM905
)


def mask_presented(text: str, given: Collection[str] = ()) -> str:
    """`text`, of a reporter, with the names masked that they say they are.

    One of the `given` names, where it is longer than what is seen of it, is left to `mask_name`.
    """
    parts: list[str] = []
    done = 0
    for start, end in sorted(_found(text)):
        if start >= done and not is_given(text, start, end, given):
            parts += [text[done:start], NAME]
            done = end
    return "".join(parts) + text[done:]


def _found(text: str) -> Iterator[tuple[int, int]]:
    if "我是" in text or "我就是" in text or "本人" in text:
        for match in _CHINESE.finditer(text):
            formal = match["formal"] is not None and match["name"][0] in _ADVERBS
            if not formal and not _is_no_name(match["name"]):
                yield match.span("name")
    if "m " in text or "M " in text or "name" in text.casefold():
        for match in _ENGLISH.finditer(text):
            said = match["name"].casefold().split()
            if not _NOBODY.intersection(said) and not match["name"].isupper():
                yield match.span("name")
        for match in _PINYIN.finditer(text):
            said = match["name"].split()
            if _SURNAMES.intersection((said[0], said[-1])):
                yield match.span("name")


def _is_no_name(name: str) -> bool:
    if name in _NO_NAMES or is_word(name) or _DAYS.match(name):
        return True
    return len(name) == 3 and (name[-1] in _KINDS or (name[-1] in _ALSO and is_word(name[:-1])))
