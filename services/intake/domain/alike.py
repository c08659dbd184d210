"""Which of the open incidents a comment may be about: offered while it is typed, never decided."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from shared.nfkc import nfkc

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_EMPTY = frozenset(
    "的了吗呢吧是在我你他您们有没不也就都还很这那个一上下来去到能可以请和与及被把给从么什怎为会要说看想"
)
"""Characters that stand in every sentence: a pair with one of them says nothing."""
_EVERYWHERE = frozenset(
    re.findall(
        r"\S+",
        "图书 书馆 老师 同学 今天 昨天 现在 时候 问题 使用 已经 正在 "
        "the and for not has have was are with this that from",
    )
)
LEAST = 4
"""From here on an incident is offered."""
MOST = 3


class Listed(Protocol):
    """An open incident, in the library's words."""

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


One = TypeVar("One", bound=Listed)


def alike(words: str, incidents: Iterable[One]) -> list[One]:
    """The incidents that `words` may be about, the likeliest first, at most `MOST`."""
    said = _features(words)
    found = [(score, one) for one in incidents if (score := _score(said, one)) >= LEAST]
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])[:MOST]]


ORDINARY = (
    *("占座没人管", "座位不够用", "想借书", "书找不到", "厕所太脏", "打印机坏了", "有人说话太吵"),
    *("开馆时间太短", "还书记录不对", "校外人员能进馆吗", "灯坏了", "丢了东西", "饮水机坏了"),
    *("超期罚款", "停车", "食堂", "研讨间", "荐购图书", "桌椅坏了", "有虫子", "论文查重"),
    *("讲座活动", "存包柜", "服务态度", "表扬感谢", "插座没电", "门禁刷不开", "空调太冷太热"),
    *("网络连不上", "数据库打不开", "电梯坏了", "漏水", "预约选座系统", "账号密码登录"),
    *("气味难闻", "someone is noisy", "the printer is broken", "I lost something"),
    *("opening hours", "books are missing", "too few seats", "library card"),
)
"""What libraries hear: all of it is near to all that is said in one. A comment is about an incident
where it is nearer to that than to any of these, but for the one that is the incident's own."""
NEARER = 0.01
Vector = Sequence[float]


def meant(
    said: Vector, incidents: Sequence[tuple[One, Sequence[Vector]]], ordinary: Sequence[Vector]
) -> list[One]:
    """The incidents that a comment means, whose vectors (of its title, of all of it) these are; the
    nearest first, at most `MOST`. Of an invented set of 30 comments that words know 2 of, about
    half are found; `NEARER` was chosen on that set, at one or two false offers in 60."""
    found = []
    for one, vectors in incidents:
        likest = max(ordinary, key=lambda other: max(_dot(other, v) for v in vectors))
        least = max(_dot(said, other) for other in ordinary if other is not likest)
        nearer = max(_dot(said, vector) for vector in vectors) - least
        if nearer >= NEARER:
            found.append((nearer, one))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])[:MOST]]


def _dot(one: Vector, other: Vector) -> float:
    total: float = sum(map(operator.mul, one, other))
    return total


_CHOICES = {"我也遇到了": 0, "我也是": 0, "metoo": 0} | {str(n + 1): n for n in range(MOST)}


def chosen(words: str) -> int | None:
    """Which of the incidents that were offered somebody means by a short word, from 0; else None.

    Telephones add full stops and full-width digits by themselves.
    """
    plain = nfkc(words[:20]).casefold()
    short = "".join(c for c in plain if unicodedata.category(c)[0] in "LN")
    return _CHOICES.get(short) if len(words) <= 20 else None


def _score(said: frozenset[str], incident: Listed) -> int:
    """What stands in the title counts twice; a Latin word, which mostly is a name, twice again."""
    title = _features(incident.title)
    shared = [*(said & title), *(said & (title | _features(incident.text)))]
    return sum(2 if one.isascii() else 1 for one in shared)


def _features(text: str) -> frozenset[str]:
    """Pairs of Chinese characters and words of Latin letters that say what it is about."""
    found: set[str] = set()
    for run in _RUNS.findall(nfkc(text).casefold()):
        if _CHINESE.match(run):
            pairs = (run[n : n + 2] for n in range(len(run) - 1))
            found.update(pair for pair in pairs if not _EMPTY & set(pair))
        elif len(run) > 2 and not run.isdigit():
            found.add(run)
    return frozenset(found - _EVERYWHERE)
