"""Texts that cost a regular expression as much as any, made of the expression itself.

What may be repeated without end is, behind what leads there; at the end stands what fits nothing.
"""

from __future__ import annotations

import random
import re
import re._compiler as compiler
import re._constants as op
import re._parser as parser
from collections.abc import Iterator
from typing import Any

_ANY = "a1 \n,.-字，Aé_@/:x'\"<>()[]{}#*+=?!~&%\u3000。\t"
_USUAL = (
    *'字a \n1，<(不/&"[_A%-🙂楼号第是>0〔',
    *("字 ", "a ", "a.", "a@", "1-", "。\n", "我是", "座位", "a@a.", "a b ", "\n ", "> "),
    *("http://", "：\n\n", "1月1日放假", "我叫张", "\u0301\u0323", "，谢谢", "1. a\n"),
)
_REPEATED = 60
"""What may stand there more often than this has no end."""
_NOTHING = "\0"


class _Written:
    """What an expression matches, written at random, and on the way what it repeats."""

    def __init__(self, pattern: re.Pattern[Any], seed: int) -> None:
        self._flags = pattern.flags
        self._tree = parser.parse(pattern.pattern, self._flags)
        self._random = random.Random(seed)
        self._groups: dict[int, str] = {}
        self.repeated: set[tuple[str, str]] = set()
        """What leads there, and what is repeated."""
        self._all(self._tree, "")

    def _all(self, items: Any, before: str) -> str:
        said = ""
        for kind, value in items:
            said += self._one(kind, value, before + said)
        return said

    def _one(self, kind: Any, value: Any, before: str) -> str:
        match kind:
            case op.LITERAL:
                return chr(value)
            case op.NOT_LITERAL | op.IN | op.ANY:
                return self._character(kind, value)
            case op.BRANCH:
                return self._random.choice([self._all(one, before) for one in value[1]])
            case op.SUBPATTERN:
                self._groups[value[0]] = said = self._all(value[3], before)
                return said
            case op.ATOMIC_GROUP:
                return self._all(value, before)
            case op.GROUPREF:
                return self._groups.get(value, "")
            case op.MAX_REPEAT | op.MIN_REPEAT | op.POSSESSIVE_REPEAT:
                least, most, items = value
                said = [self._all(items, before) for _ in range(2)]
                if most > _REPEATED:
                    self.repeated |= {(before[-30:], one[:24]) for one in (*said, "".join(said))}
                return "".join(self._random.choices(said, k=min(most, max(least, 1))))
            case op.AT | op.ASSERT | op.ASSERT_NOT:
                return ""
        raise NotImplementedError(kind)

    def _character(self, kind: Any, value: Any) -> str:
        one = parser.SubPattern(self._tree.state, [(kind, value)])
        return self._random.choice(_characters(repr(one), one, self._flags))


_known: dict[tuple[str, int], list[str]] = {}


def _characters(name: str, one: Any, flags: int) -> list[str]:
    """Some that fit it."""
    if (name, flags) not in _known:
        fits = compiler.compile(one, flags).fullmatch
        own = [chr(int(n)) for n in re.findall(r"\b\d+\b", name) if int(n) <= 0x10FFFF]
        _known[name, flags] = [c for c in (*_ANY, *own) if fits(c)] or [""]
    return _known[name, flags]


def texts(pattern: re.Pattern[Any], *lengths: int) -> Iterator[tuple[str, ...]]:
    """Texts, each in about so many characters."""
    for before, one in sorted(_repeated(pattern)):
        yield tuple(before + _times(one, length) + _NOTHING for length in lengths)
        if before:
            yield tuple(_times(before + one, length) + _NOTHING for length in lengths)
    yield from usual(*lengths)


def usual(*lengths: int) -> Iterator[tuple[str, ...]]:
    """Texts that cost much in general, each in so many characters."""
    for one in _USUAL:
        yield tuple(_times(one, length) for length in lengths)


def _repeated(pattern: re.Pattern[Any]) -> set[tuple[str, str]]:
    written = (_Written(pattern, seed) for seed in range(2))
    return {pair for one in written for pair in one.repeated if pair[1]}


def _times(one: str, length: int) -> str:
    return (one * (length // len(one) + 1))[:length]
