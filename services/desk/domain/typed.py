"""A question as it was meant: pinyin, characters that sound alike, and English with a slip of the
finger, read as the words that the table of matters knows.

Only what names nothing as it stands is read so: `站座` and `zhanzuo` are 占座, `overdeu` is
overdue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from services.desk.domain.matters import matter_of, thing_words
from services.desk.domain.search import fold
from shared.pinyin import readings, syllables

LONGEST = 60
"""Letters of a question that is read so: who writes more has said it in other words besides."""
_CHINESE = re.compile(r"[\u3400-\u9fff]{2,}")
_LATIN = re.compile(r"[a-z]+(?:[ '’][a-z]+)*")
_WORD = re.compile(r"[a-z]{6,}")
"""Shorter words are too often one letter away from another: paint is no print."""
_TWO_SLIPS = 9
"""Letters from which two slips are forgiven."""
_LEAST_PINYIN = 5
_SYLLABLES = 4


class _Sounds(NamedTuple):
    """What the words of the table sound like."""

    words: dict[tuple[str, ...], str]
    """By their syllables without tones, in every reading of their characters."""
    roughly: dict[tuple[str, ...], str]
    """The same for longer words, with zh like z and ng like n."""


@lru_cache(maxsize=2000)
def as_meant(text: str) -> str:
    """`text` where it names a thing as it stands, or cannot be read otherwise; else as it is read.

    The first question that needs pinyin takes 0.2 s, for the table of characters.
    """
    folded = fold(text)
    if len(folded) > LONGEST or matter_of(text).things:
        return text
    for read in (_without_slips, _from_pinyin, _by_sound):
        meant = read(folded)
        if meant != folded and matter_of(meant).things:
            return meant
    return text


def _without_slips(folded: str) -> str:
    return _WORD.sub(lambda hit: _nearest_word(hit[0]), folded)


def _nearest_word(word: str) -> str:
    """The word of the table that this one is a slip of, or itself."""
    most = 2 if len(word) >= _TWO_SLIPS else 1
    for known in _english()[word[0]]:
        # What is listed is the beginning of a word: so much is compared as may be it.
        for length in (len(known), len(known) - 1, len(known) + 1):
            rest = word[length:]
            if len(rest) <= _SYLLABLES and slips(word[:length], known, most) <= most:
                return known + rest
    return word


@lru_cache(maxsize=1)
def _english() -> dict[str, list[str]]:
    """Words of the table by their first letter, the longest first: slips are seldom there."""
    words = {w for words in thing_words() for w in re.findall("[a-z]{5,}", words)}
    ordered = sorted(words, key=lambda one: (-len(one), one))
    return {first: [w for w in ordered if w[0] == first] for first in "abcdefghijklmnopqrstuvwxyz"}


def slips(one: str, other: str, most: int) -> int:
    """Letters wrong, missing, too many, or two exchanged; more than `most` is not told apart."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for n, mine in enumerate(one, 1):
        older, before, row = before, row, [n]
        for m, theirs in enumerate(other, 1):
            cost = min(row[m - 1] + 1, before[m] + 1, before[m - 1] + (mine != theirs))
            if n > 1 and m > 1 and mine == other[m - 2] and one[n - 2] == theirs:
                cost = min(cost, older[m - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _from_pinyin(folded: str) -> str:
    return _LATIN.sub(lambda hit: _characters(hit[0]) or hit[0], folded)


def _characters(run: str) -> str:
    """The words that a run of pinyin holds; empty where it is something else."""
    letters = re.sub("[^a-z]", "", run)
    if len(letters) < _LEAST_PINYIN or (cut := syllables(letters)) is None:
        return ""
    return " ".join(word for word, _, _ in _found(cut, _sounds().words))


def _by_sound(folded: str) -> str:
    return _CHINESE.sub(lambda hit: _as_it_sounds(hit[0]), folded)


def _as_it_sounds(run: str) -> str:
    said = tuple(_syllables_of(run))
    sounds = _sounds()
    found = list(_found(said, sounds.words)) or list(_found(_rough(said), sounds.roughly))
    for word, begin, end in reversed(found):
        run = run[:begin] + word + run[end:]
    return run


def _found(
    said: tuple[str, ...], words: dict[tuple[str, ...], str]
) -> Iterator[tuple[str, int, int]]:
    """Words among these syllables and where they stand, the longest first at each place."""
    at = 0
    while at < len(said):
        for length in range(min(_SYLLABLES + 2, len(said) - at), 1, -1):
            if (word := words.get(said[at : at + length])) is not None:
                yield word, at, at + length
                at += length - 1
                break
        at += 1


def _rough(said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(re.sub("^([zcs])h", r"\1", one).removesuffix("g") for one in said)


@lru_cache(maxsize=1)
def _sounds() -> _Sounds:
    words: dict[tuple[str, ...], str] = {}
    for word in thing_words():
        if _CHINESE.fullmatch(word):
            for said in product(*readings(word)):
                words.setdefault(said, word)
    roughly = {_rough(said): word for said, word in words.items() if len(said) > 2}
    return _Sounds(words, roughly)


def _syllables_of(chinese: str) -> list[str]:
    """One for each character, the usual one."""
    return [said[0] for said in readings(chinese)]
