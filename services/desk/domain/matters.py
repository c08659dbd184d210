"""What a comment is about, in either language: the thing, and what is wrong with it.

Vectors know that two comments are both about a broken thing in a library, not that a lamp is no
air conditioner; and words do not know that a sauna and 热得没法看书 are one complaint. This table
knows what libraries hear every week. What it does not know, vectors and words may still find.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.desk.domain.matter_words import BROAD, ELSEWHERE, FAULTS, SAY_ALL, THINGS
from services.desk.domain.search import fold
from services.desk.domain.similar import ALIKE as SAME_WORDS
from shared.privacy import PLACEHOLDERS

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_MASKED = re.compile("|".join(PLACEHOLDERS))
_FLOOR = re.compile(
    r"(?:([一二三四五六七八九十]|\d{1,2})\s*[层楼])|(\d)f\b|(?:level|floor)\s*(\d)"
    r"|\b(first|second|third|fourth|fifth|sixth|1st|2nd|3rd|4th|5th|6th)\s+floor"
)
_NUMBERS = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {
    word: n
    for n, pair in enumerate(
        zip(
            ("first", "second", "third", "fourth", "fifth", "sixth"),
            ("1st", "2nd", "3rd", "4th", "5th", "6th"),
            strict=True,
        ),
        1,
    )
    for word in pair
}


_SHORT = 4
_NOTHING = r"(?!)"
_Table = tuple[dict[str, re.Pattern[str]], dict[str, str]]


def _compiled(table: str) -> _Table:
    """What finds the words of `table` that begin with a character, and the name of each word."""
    names: dict[str, str] = {}
    name = ""
    for line in table.strip().splitlines():
        words = line
        if not line.startswith(" "):
            name, _, words = line.partition(":")
        chinese, _, english = words.partition("|")
        names |= dict.fromkeys(chinese.split(), name)
        names |= dict.fromkeys(filter(None, map(str.strip, english.split(","))), name)
    by_first: dict[str, list[str]] = {}
    for word in sorted(names, key=lambda one: (-len(one), one)):
        by_first.setdefault(word[0], []).append(word)
    return {first: _beginning(words) for first, words in by_first.items()}, names


def _beginning(longest: Sequence[str]) -> re.Pattern[str]:
    """What finds one of these words, which begin with one character. Groups: Chinese, long, short.

    English words begin with what is listed; short ones are that, or several of it.
    """
    native = "|".join(re.escape(w) for w in longest if _CHINESE.search(w)) or _NOTHING
    foreign = [w for w in longest if not _CHINESE.search(w)]
    short = "|".join(re.escape(w) for w in foreign if len(w) <= _SHORT) or _NOTHING
    long = "|".join(re.escape(w) for w in foreign if len(w) > _SHORT) or _NOTHING
    return re.compile(rf"({native})|(?<![a-z])(?:({long})|({short})(?:s|es)?(?![a-z]))")


def _named(table: _Table, folded: str) -> frozenset[str]:
    # To try all words wherever a text may have one takes ten times as long.
    by_first, names = table
    found, at = set(), 0
    while at < len(folded):
        words = by_first.get(folded[at])
        if words is not None and (hit := words.match(folded, at)):
            found.add(names[hit[hit.lastindex or 0]])
            at = hit.end()
        else:
            at += 1
    return frozenset(found)


_THINGS, _FAULTS = _compiled(THINGS), _compiled(FAULTS)


def thing_words() -> list[str]:
    """The words and beginnings of words by which things are named."""
    return list(_THINGS[1])


@dataclass(frozen=True, slots=True)
class Matter:
    """What a text says by the table: things, faults, floors."""

    things: frozenset[str]
    faults: frozenset[str]
    floors: frozenset[int]


@lru_cache(maxsize=2048)
def matter_of(text: str) -> Matter:
    """Read a text; only its beginning counts, as it does for its vector. What stands where a person
    was masked names no thing."""
    folded = fold(_MASKED.sub(" ", text[:400]))
    return Matter(
        _named(_THINGS, folded),
        _named(_FAULTS, folded) - {"-"},
        frozenset(_floor(hit) for hit in _FLOOR.findall(folded)),
    )


def _floor(hit: tuple[str, ...]) -> int:
    said = next(one for one in hit if one)
    return _NUMBERS[said] if said in _NUMBERS else int(said)


ALIKE = 0.63
"""From here on two comments are shown to a person as perhaps one matter."""
_APART = (
    frozenset({"hot", "cold"}),
    frozenset({"few", "broken"}),
    frozenset({"blocked", "blank"}),
)
"""Faults of one thing that are two matters."""
# Cosines of one small model between the unlike and the alike, in one script and in two.
_ONE_SCRIPT, _TWO_SCRIPTS = (0.86, 0.96), (0.76, 0.88)
_LEAST = 0.1
_CLEARLY = 0.6
_NEARLY_EQUAL = 0.88
_RETOLD = 0.26
"""Likeness of words from which on another hand may have told the same."""
_DEAD = frozenset({"broken", "no_access"})
_FORMULA = re.compile(r"\s*[=+@-]\s*[\w.]+\s*[|(!]")
NAMELESS = 0.65
"""How alike two are of which one names nothing that the table knows."""


def has_words(text: str) -> bool:
    """Whether somebody says something in it: two Chinese characters at least, or three letters."""
    if _FORMULA.match(text):
        return False
    letters: set[str] = set()
    for c in text:
        # Whole phrases that are one sign (Arabic ligatures) are none, nor is one letter repeated.
        if c.isalpha() and not "\ufb50" <= c <= "\ufdff":
            letters.add(c)
            if len(letters) > 2 or (len(letters) == 2 and all(map(_CHINESE.match, letters))):
                return True
    return False


def nearness(one: str, other: str, cosine: float) -> float:
    """From 0 to 1: what a cosine says of these two texts; nothing where one has no words: emoji,
    signs and formulas are near to everything."""
    if not (has_words(one) and has_words(other)):
        return 0.0
    alike = bool(_CHINESE.search(one)) == bool(_CHINESE.search(other))
    least, most = _ONE_SCRIPT if alike else _TWO_SCRIPTS
    return min(1.0, max(0.0, (cosine - least) / (most - least)))


def same_matter(one: Matter, other: Matter, near: float, words: float) -> float:
    """From 0 to 1; `ALIKE` and more is worth a look.

    `near` is their `nearness`, `words` what `domain.similar.likeness` says of them. Where both name
    things, they have one in common, and what is wrong with it: all complaints are near to each
    other, and all that is said of one printer shares its words. Where no fault is in common, they
    are all but equal in meaning, and like each other in words as well.
    """
    if not one.things or not other.things:
        return NAMELESS if near >= _NEARLY_EQUAL and not _differ(one, other) else 0.0
    shared, different = one.things & other.things, one.things ^ other.things
    if not shared or near < _LEAST or different & ELSEWHERE or _differ(one, other):
        return 0.0
    same_fault = bool(_faults(one) & _faults(other) or shared & SAY_ALL)
    if shared <= BROAD and (different or not same_fault or near < _CLEARLY):
        return 0.0
    if not same_fault and (near < _NEARLY_EQUAL or words < _RETOLD):
        return 0.0
    common = _weight(shared)
    things = common / (common + 0.5 * _weight(different))
    return 0.4 * things + 0.3 * (1.0 if same_fault else 0.6) + 0.3 * near


def same_answer(one: Matter, other: Matter, near: float, words: float) -> float:
    """From 0 to 1: how much the answer to one may be one to the other; `ALIKE` and more is offered.

    Besides what is `same_matter` in things that both name, what is near in meaning and nearly the
    same in words. For either alone more is shown as similar: an answer about something else is
    worse than none.
    """
    named = same_matter(one, other, near, words) if one.things & other.things else 0.0
    if near < _CLEARLY or words < SAME_WORDS or apart(one, other) or _differ(one, other):
        return named
    return max(named, ALIKE + (1 - ALIKE) * words)


def _faults(one: Matter) -> frozenset[str]:
    """What is wrong, whatever it is called; a question is no fault."""
    return frozenset("broken" if f in _DEAD else f for f in one.faults) - {"ask"}


def apart(one: Matter, other: Matter) -> bool:
    """Whether they are about different things, however many phrases they share."""
    if (one.things ^ other.things) & ELSEWHERE:
        return True
    return bool(one.things and other.things) and not one.things & other.things


def _weight(things: frozenset[str]) -> float:
    return sum(0.4 if one in BROAD else 1.0 for one in things)


def _differ(one: Matter, other: Matter) -> bool:
    """Whether they name two floors, or faults that are two matters."""
    if one.floors and other.floors and not one.floors & other.floors:
        return True
    mine, theirs = one.faults - other.faults, other.faults - one.faults
    return any(
        pair & mine and pair & theirs and not pair & one.faults & other.faults for pair in _APART
    )
