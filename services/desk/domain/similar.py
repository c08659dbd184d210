"""How much two comments have in common: words, place, time.

Two matters of one place, politely written, share most of their letters: what counts is what they
are about. So a greeting, a wish and where it was weigh little beside the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache

from services.desk.domain.search import fold

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff]+|[^\W\da-z_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_DOUBLED = re.compile(r"(.)\1+")
_LETTERS = re.compile(r"[A-Za-z]")
SHORT, LONG = 60, 200
"""Characters."""
CLOSE = timedelta(days=3)
ALIKE = 0.4
"""From here on two comments are shown to a person as perhaps one matter."""
_LEAST, _LEAST_OF_FEW = 0.37, 0.6
"""Words that differ more than this are about different things, wherever and whenever."""
_NOT_QUITE = ALIKE - 0.01
_FEW, _NEXT_TO_NOTHING = 7.0, 3.0
"""A text that says less than this is inside many others, and by chance like many."""
_INSIDE, _ALL_OF_IT = 0.8, 0.95

_STOCK = re.compile(
    r"(?:尊敬的|亲爱的)?(?:图书馆)?(?:的)?(?:各位)?(?:馆?领导|馆长|老师们?|工作人员|管理员)?(?:们)?"
    r"(?:您好|你好|辛苦了)|打扰(?:一下|了)|麻烦(?:您|你|老师)?(?:问一下|看看|看一下)?|请问(?:一下)?|"
    r"(?:我)?(?:想|要)(?:反映|问|咨询|投诉|请教)(?:一下|一个问题)?|"
    r"(?:希望|建议|请|能否|能不能|可不可以|可否)+(?:图书馆|馆里|你们|贵馆|学校)*(?:能够?|可以|尽快|早日|抓紧|帮忙)*|"
    r"尽快(?:处理|解决|修复|修理|维修|修|回复|答复)(?:一下)?|(?:引起)?重视|由来已久|"
    r"(?:非常|十分)?(?:感谢|谢谢)(?:老师|你们|大家|您)?|此致|敬礼|盼复|求回复|"
    r"我是(?:一名|一个)?(?:本校|大[一二三四]|研[一二三]|博[一二三])?(?:的)?"
    r"(?:学生|本科生|研究生|博士生|读者|校友|老师)|一名?(?:普通)?读者|"
    r"写道|发件人|收件人|日期|主题|原始邮件|电话记录|读者反映|台口代录|台口转来|微信群里转来|问卷第\d+题|"
    r"(?:一直|到现在)?没有?(?:人)?(?:收到|管|处理)|图书馆"
)
"""What letters begin, end and wish with, whatever they are about."""
_PLACE = re.compile(
    r"(?:地下|负)?[一二三四五六七八九十\d]{1,2}(?:楼|层|号楼)|b\d\b|[东南西北中老新]{1,2}(?:区|侧|馆|门|边|翼)|"
    r"(?:自习|阅览|研讨|报告|机)(?:区|室|间|厅|房)|(?:总)?服务台|大厅|走廊|门口|书库|"
    r"[男女]?(?:厕所?|卫生间|洗手间)|"
    r"(?:first|second|third|fourth|fifth|sixth|ground|\d(?:st|nd|rd|th)) floor|"
    r"(?:north|south|east|west)(?:ern)? (?:side|wing)|reading room"
)
"""Where it was: two things that are wrong at one place are two matters."""
_WHEN = re.compile(
    r"(?:今|昨|前|明)(?:天|晚|早)(?:上午|下午|晚上|早上)?|(?:寒|暑)假(?:期间)?|考试周|周末|"
    r"(?:周|星期)[一二三四五六日天](?:上午|下午|晚上)?|(?:早|晚|中)上|上午|下午|"
    r"since \w+day|on \w+day|yesterday|today|this morning"
)
_EMPTY = frozenset(
    "的了吗呢吧是在我你他她它您们有没不也就都还很太这那个一些上下来去到能可以请和与及被把给从么什怎为会要说看想"
    "再又才只着过得地里后前时候多少几好让用"
)
"""Characters that stand in every sentence."""
_EMPTY_WORDS = frozenset(
    _DOUBLED.sub(r"\1", word)
    for word in re.findall(
        r"\w+",
        "a an the of on in at to for from with and or but is are was were be been it its this that "
        "i my me we our you your they their he she has have had do does did not no can cannot "
        "could cant would please thank thanks dear hello hi library librarian librarians best "
        "regards where what when how why which who there here since still any some so too very "
        "t s m access find get go home need use want",
    )
)
_OPPOSED = (
    (
        re.compile(r"表扬|点赞|耐心|热心|helpful|friendly|patient|\bkind\b"),
        re.compile(r"投诉|恶劣|态度(?:很|太|极)?差|差评|\brude\b|unfriendly|unhelpful"),
    ),
    (re.compile(r"太冷|很冷|冷得|too cold|freezing"), re.compile(r"太热|很热|闷热|热得|too hot")),
    (re.compile(r"太早|too early"), re.compile(r"太晚|too late")),
)
"""Nearly the same words, and the contrary."""
_READ = 50_000
"""Folded characters that are compared; one `ﷺ` folds into eighteen."""
_MANY = 4
_LITTLE = 0.3
_WHERE = 0.25
_MARK, _CONTRARY = "@", "!"


def candidates_from(text: str) -> float:
    """How much the trigram index has to find the same to be asked any further.

    Texts of letters have many trigrams in common whatever they say, and long ones are dear.
    """
    letters = len(_LETTERS.findall(text))
    if letters > len(text) / 2:
        return 0.55 if len(text) > LONG else 0.4
    return 0.5 if len(text) > LONG else 0.3 if len(text) > SHORT else 0.25


def features(text: str) -> frozenset[str]:
    """What two texts are compared by: pairs of Chinese characters, words of other scripts, and
    where it was, marked."""
    folded = fold(text)[:_READ]
    found = {_MARK + mark for pattern in (_PLACE, _WHEN) for mark in pattern.findall(folded)}
    found.update(f"{_CONTRARY}{n}{side}" for n, side in _sides(folded))
    said = _WHEN.sub(" ", _PLACE.sub(" ", _STOCK.sub(" ", folded)))
    runs = _RUNS.findall(said)
    if len(runs) > _MANY and folded[-1:].isascii() and folded[-1:].isalpha():
        del runs[-1]  # the end may be cut off, in the middle of a word
    for run in runs:
        if _CHINESE.match(run) and len(run) > 1:
            found.update(run[n : n + 2] for n in range(len(run) - 1))
        else:
            found.add(_squeezed(run))
    return frozenset(found)


def _squeezed(run: str) -> str:
    """A word without doubled letters: which of them are doubled is what people mistype."""
    return run if run.isdigit() else _DOUBLED.sub(r"\1", run)


def _sides(folded: str) -> Iterable[tuple[int, str]]:
    for number, (one, other) in enumerate(_OPPOSED):
        is_one, is_other = one.search(folded), other.search(folded)
        if bool(is_one) != bool(is_other):
            yield number, "+" if is_one else "-"


def _contrary(one: frozenset[str], other: frozenset[str]) -> bool:
    turned = str.maketrans("+-", "-+")
    return any(f.startswith(_CONTRARY) and f.translate(turned) in other for f in one)


def likeness(
    one: frozenset[str], other: frozenset[str], *, same_place: bool, apart: timedelta
) -> float:
    """From 0 to 1; `ALIKE` and more is worth a look. A text inside a longer one counts nearly as
    much as an equal one."""
    if not one or not other or _contrary(one, other):
        return 0.0
    shared = _sum(one & other)
    least = min(_sum(one), _sum(other))
    if least <= 0.0:
        return 0.0
    equal, inside = shared / _sum(one | other), shared / least
    enough = _INSIDE if least >= _FEW else _ALL_OF_IT if least >= _NEXT_TO_NOTHING else 2.0
    words = max(equal, 0.8 * inside if inside >= enough else 0.0)
    near = words * (1 + 0.15 * same_place + 0.05 * (apart <= CLOSE))
    differ = words < (_LEAST if least >= _FEW else _LEAST_OF_FEW)
    return min(near, _NOT_QUITE if differ else 1.0)


def _sum(found: Iterable[str]) -> float:
    return sum(map(_weight, found))


@lru_cache(65536)
def _weight(feature: str) -> float:
    """How much a feature says of what a comment is about."""
    if feature.startswith((_MARK, _CONTRARY)):
        return _WHERE if feature.startswith(_MARK) else 0.0
    if _CHINESE.match(feature):
        empty = sum(c in _EMPTY for c in feature)
        return (1.0, 0.6, 0.15)[empty] if len(feature) == 2 else _LITTLE
    if feature.isdigit():
        return 1.0 if len(feature) > 2 else _LITTLE
    return _LITTLE / 2 if feature in _EMPTY_WORDS else 1.5
