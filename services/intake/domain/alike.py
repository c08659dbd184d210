"""Which of the open incidents a comment may be about: offered while it is typed, never decided."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol, TypeVar

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


_CHOICES = {"我也遇到了": 0, "我也是": 0, "metoo": 0} | {str(n + 1): n for n in range(MOST)}


def chosen(words: str) -> int | None:
    """Which of the incidents that were offered somebody means by a short word, from 0; else None.

    Telephones add full stops and full-width digits by themselves.
    """
    plain = unicodedata.normalize("NFKC", words[:20]).casefold()
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
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _CHINESE.match(run):
            pairs = (run[n : n + 2] for n in range(len(run) - 1))
            found.update(pair for pair in pairs if not _EMPTY & set(pair))
        elif len(run) > 2 and not run.isdigit():
            found.add(run)
    return frozenset(found - _EVERYWHERE)
