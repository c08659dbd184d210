"""What people write and answer in the demonstration: an invented stock with gaps to fill.

Everything is invented; nobody in it exists. The stock is ``data/letters.json``.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_STOCK = Path(__file__).parent / "data" / "letters.json"
_OWN_WORDS = ("praise", "conduct")
"""Nothing general is answered to these."""
_SPEAKS_OF = 2
"""Pairs of characters that two texts about the same thing have in common at least."""
_IN_ANY_LETTER = frozenset(
    re.findall("..", "您好谢谢已经现在今天昨天可以我们请问图书书馆时候一个没有什么不能")
)
_GAP = re.compile(r"\{(\w+)\}")


@cache
def stock() -> dict[str, Any]:
    """The whole stock."""
    read: dict[str, Any] = json.loads(_STOCK.read_text("utf-8"))
    return read


@dataclass
class Letter:
    """A comment, and whatever is said about it later: the same gaps, filled the same way."""

    topic: str
    text: str
    english: bool
    rng: random.Random = field(repr=False)
    words: dict[str, str] = field(repr=False)
    place: str | None = None

    @property
    def about(self) -> dict[str, Any]:
        """Its topic in the stock."""
        found: dict[str, Any] = stock()["topics"][self.topic]
        return found

    @property
    def department(self) -> str:
        """Whose matter it is."""
        return str(self.about["department"])

    def reply(self, outcome: str) -> str:
        """An answer that ends in `outcome`."""
        if self.english:
            own = self.about.get("replies_en", {}).get(outcome)
            return self.pick(own or stock()["replies_en"][outcome])
        general = stock()["general"]["replies"].get(outcome, ())
        if self.topic in _OWN_WORDS:
            general = ()
        return self._fitting(self.about["replies"].get(outcome, ()), general)

    def ask(self) -> str:
        """What the department wants to know before it can go on."""
        return self._fitting(self.about["asks"], stock()["general"]["asks"])

    def answer(self) -> str:
        """What the reporter answers to that."""
        return self._fitting(self.about["answers"], stock()["general"]["answers"])

    def _fitting(self, choices: Sequence[str], otherwise: Sequence[str]) -> str:
        """One that speaks of what the letter speaks of, else one that fits everything."""
        mine = _pairs(self.text)
        about = {one: len(mine & _pairs(_GAP.sub("", one))) for one in choices}
        best = max(about.values(), default=0)
        if best < _SPEAKS_OF:
            return self.pick(list(otherwise or choices))
        return self.pick([one for one in choices if about[one] == best])

    @property
    def outcomes(self) -> list[str]:
        """What it can end in."""
        return list(stock()["replies_en"] if self.english else self.about["replies"])

    def say(self, kind: str) -> str:
        """Something of the general stock."""
        return self.pick(stock()["general"][kind])

    def pick(self, choices: list[str]) -> str:
        """One of these, its gaps filled."""
        return fill(self.rng.choice(choices), self.words, self.rng)


def write(rng: random.Random, *, exams: bool, holiday: bool) -> Letter:
    """A comment of such a day."""
    topics = stock()["topics"]
    weights = [
        topic["weight"]
        * (topic.get("exam", 1) if exams else 1)
        * (topic.get("holiday", 1) if holiday else 1)
        for topic in topics.values()
    ]
    name = rng.choices(list(topics), weights)[0]
    topic = topics[name]
    english = bool(topic["texts_en"]) and rng.random() < 0.1
    return letter(rng, name, rng.choice(topic["texts_en" if english else "texts"]), english=english)


def surge(rng: random.Random) -> Letter:
    """One of the many about the same fault."""
    english = rng.random() < 0.08
    return letter(
        rng,
        "offcampus",
        rng.choice(stock()["surge"]["texts_en" if english else "texts"]),
        english=english,
    )


def letter(rng: random.Random, topic: str, text: str, *, english: bool = False) -> Letter:
    """A comment with these words."""
    words: dict[str, str] = {}
    text = fill(text, words, rng)
    place = None
    if "floor" in words and rng.random() < 0.5:
        place = words["floor"] + words.get("side", "")
    elif "seat" in words and rng.random() < 0.4:
        place = f"{words['seat']} 座"
    return Letter(topic, text, english, rng, words, place)


def _pairs(text: str) -> set[str]:
    """The pairs of Chinese characters in it that say what it is about."""
    plain = "".join(c if "\u4e00" <= c <= "\u9fff" else " " for c in text)
    found = {plain[i : i + 2] for i in range(len(plain) - 1)}
    return {pair for pair in found if " " not in pair} - _IN_ANY_LETTER


def fill(text: str, words: dict[str, str], rng: random.Random) -> str:
    """The text with its gaps filled; what was chosen once stays chosen."""
    slots = stock()["slots"] | stock()["slots_en"]

    def chosen(gap: re.Match[str]) -> str:
        name = gap[1]
        if name not in words:
            words[name] = rng.choice(slots[name])
        return words[name]

    return _GAP.sub(chosen, text)
