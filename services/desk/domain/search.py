"""Words made findable: folded, and every letter doubled.

A trigram index finds nothing for 占座: two characters hold no trigram. Written 占占座座 they hold
two, and a text contains a word exactly when the doubled text contains the doubled word. One letter
holds none even so: it is looked for among the letters of a text. The ten digits doubled are few
trigrams, which half of all numbers share: these are found without, and people from three letters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import accumulate

from shared.nfkc import nfkc

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
_DASHES = r"\-\u2010-\u2015\u2212"
_BETWEEN_DIGITS = re.compile(rf"(?<=\d)[ .·()+{_DASHES}]{{1,2}}(?=\d)")
_NO_DIGITS = re.compile(r"[^0-9]+")
_NO_DIGIT = re.compile(r"\D")
_COUNTRY = re.compile(r"^(?:00)?86(?=1\d{10}$)")
_NUMBER = re.compile(rf"[+(]?\d[\d .·()+{_DASHES}]{{3,}}")


def fold(text: str) -> str:
    """Without case, width and what cannot be seen."""
    return _folded_short(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    return _INVISIBLE.sub("", nfkc(text)).casefold()


_SHORT = 80
"""What is searched for, titles and places are folded again and again."""
_folded_short = lru_cache(maxsize=2_000)(_folded)


def findable(*texts: str | None) -> str:
    """What stands in the index for words."""
    return _doubled(fold("\n".join(text or "" for text in texts)))


def findable_private(*texts: str | None) -> str:
    """What stands in the index for personal data: numbers also as they are dialled."""
    folded = fold("\n".join(text for text in texts if text))
    joined = _BETWEEN_DIGITS.sub("", folded)
    return _doubled(folded if joined == folded else f"{folded}\n{joined}")


def pattern(words: str) -> str:
    """The LIKE pattern that finds `words` literally; ``%``, ``_`` and ``\\`` mean nothing."""
    return "%" + "".join(_literal(c) * 2 for c in fold(words)) + "%"


def pattern_private(words: str) -> str:
    """The same in personal data: 138-0000 1234, +86 13800001234 and 13800001234 are one number."""
    return pattern(as_dialled(words))


def pattern_once(words: str) -> str:
    """What `pattern_private` finds, in a text whose letters stand there once."""
    return "%" + "".join(map(_literal, fold(as_dialled(words)))) + "%"


def number(words: str) -> str:
    """The LIKE pattern of the numbers in them, where a text has its numbers alone, with a blank
    between two: it finds all that `pattern` finds."""
    return f"%{_NO_DIGITS.sub(' ', fold(words)).strip()}%"


def as_dialled(words: str) -> str:
    """`words`; without what stands between the digits where they are a telephone number."""
    folded = fold(words).strip()
    if not _NUMBER.fullmatch(folded):
        return words
    return _COUNTRY.sub("", _NO_DIGIT.sub("", folded))


MOST_WORDS = 8
"""Who writes more has pasted a sentence, and asks for it as it stands."""


_EDGES = "\"'`“”‘’„«»「」『』《》〈〉【】［］（）()[],.;:!?，。、；：！？…·~～"
_BESIDE_A_NUMBER = re.compile(r"(?<=\d{3})(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])(?=\d{3})|\s+")
"""Three digits are a room or a seat: 217座 is told as 217 座位, too. 5楼 is one word."""


def words_of(typed: str) -> tuple[str, ...]:
    """What blanks divide, and a number from Chinese beside it, the longest first: each has to stand
    somewhere in a case. The marks around a word are not looked for. What has no letter is one
    number, however it is divided."""
    bare = _bare(typed)
    words = map(_bare, _BESIDE_A_NUMBER.split(bare))
    apart = [word for word in dict.fromkeys(words) if fold(word)]
    if not 1 <= len(apart) <= MOST_WORDS or not any(map(str.isalpha, bare)):
        return (bare,)
    return tuple(sorted(apart, key=len, reverse=True))


def _bare(word: str) -> str:
    """Without the marks around it, where that leaves something."""
    return word.strip().strip(_EDGES).strip() or word.strip()


_ASKED = re.compile(r"[\u3400-\u9fff]{2}|[a-z]{3}")
_CODE = re.compile(
    rf"\d{{4}}|@|^[0-9a-z]{{4}}(?:[{_DASHES}][0-9a-z]{{4}}){{2}}|\b(?=[a-z]*\d)[0-9a-z]{{20}}\b"
    rf"|\b[0-9a-f]{{8}}(?:[\s{_DASHES}]?[0-9a-f]{{4}}){{3}}"
)
_MANY = 60
"""How little the first places count for more than the next ones, in `fused`."""


def asks(words: str) -> bool:
    """Whether words may mean something, rather than name one case or person."""
    folded = fold(words)
    named = _CODE.search(folded) or is_like_a_code(words) or _is_part_of_a_code(folded.strip())
    return bool(_ASKED.search(folded)) and not named


def _is_part_of_a_code(folded: str) -> bool:
    """Whether all of it is some groups of a code or the beginning of an id, as somebody reads them
    out. With blanks they may as well be words: "wifi 5ghz"."""
    if _PART_OF_AN_ID.fullmatch(folded):
        return any(map(str.isdigit, folded))
    groups = _PART_OF_A_CODE.fullmatch(folded)
    return groups is not None and sum(map(str.isdigit, folded)) > 1


_PART_OF_A_CODE = re.compile(rf"[0-9a-tv-z]{{4}}(?:[{_DASHES}][0-9a-tv-z]{{1,4}})+")
_PART_OF_AN_ID = re.compile(rf"[0-9a-f]{{8,}}(?:[{_DASHES}][0-9a-f]{{1,12}})*[{_DASHES}]?")
_LIKE_A_CODE = re.compile(rf"[0-9a-z\s_.·{_DASHES}]+")
_BETWEEN = re.compile(rf"[\s_.·{_DASHES}]+")


def is_like_a_code(words: str) -> bool:
    """Whether all of it is written as the code or the id of a case is, blanks and dashes aside.

    Words have twenty letters now and then ("library wifi is too slow"), and a room its number: what
    is not in the groups of a code is one where letters stand between its digits.
    """
    folded = fold(words).strip()
    plain = _BETWEEN.sub("", folded)
    digits = sum(map(str.isdigit, plain))
    if not _LIKE_A_CODE.fullmatch(folded) or not digits:
        return False
    if len(plain) == _ID:
        return all(c in "0123456789abcdef" for c in plain)
    if len(plain) != _TRACKING or "u" in plain:
        return False
    groups = _BETWEEN.split(folded)
    mixed = any(not group.isdigit() and not group.isalpha() for group in groups)
    return len({len(group) for group in groups}) == 1 or (digits >= _DIGITS and mixed)


_ID, _TRACKING = 32, 20
"""Letters and digits of the id of a case, and of its tracking code."""
_DIGITS = 3
"""A code has six on the average."""


def fused(*lists: Sequence[str]) -> list[str]:
    """Several orders in one: what stands high in many of them comes first (reciprocal ranks)."""
    score: dict[str, float] = {}
    for found in lists:
        for rank, one in enumerate(found):
            score[one] = score.get(one, 0.0) + 1 / (_MANY + rank)
    return sorted(score, key=lambda one: -score[one])


Snippet = tuple[str, str, str]
"""What was found, between what stands before and after it."""
AROUND = 24
"""Letters before a hit, so that it stands in the first line; three times as many after it."""


def spans(text: str, words: str, *, at_most: int = 5) -> list[tuple[int, int]]:
    """Where `words` stand in `text` as the search finds them, as slices of it: together, or else
    each of them."""
    found, asked = _spans(text, words, at_most), words_of(words)
    if found:
        return found
    found = sorted(one for word in asked for one in _spans(text, word, at_most))
    # One may lie within another, or go on where it ends.
    apart: list[tuple[int, int]] = []
    for begin, end in found:
        if apart and begin < apart[-1][1]:
            begin, end = apart[-1][0], max(end, apart.pop()[1])
        apart.append((begin, end))
    return apart[:at_most]


def _spans(text: str, words: str, at_most: int) -> list[tuple[int, int]]:
    wanted = fold(words).strip()
    folded = fold(text)
    if not wanted or wanted not in folded:
        return []
    place: Callable[[int], int] = int
    # Most texts fold letter by letter; where one letter became several, each knows its place.
    if len(folded) != len(text):
        letters = [_folded_letter(letter) for letter in text]
        folded, ends = "".join(letters), list(accumulate(map(len, letters)))
        place = partial(bisect_right, ends)
    found: list[tuple[int, int]] = []
    begin = folded.find(wanted)
    while begin >= 0 and len(found) < at_most:
        end = begin + len(wanted)
        # A letter that folds to several may hold a hit twice.
        if not found or place(begin) >= found[-1][1]:
            found.append((place(begin), place(end - 1) + 1))
        begin = folded.find(wanted, end)
    return found


def snippet(text: str, words: str) -> Snippet | None:
    """The first hit with what stands around it, on one line; None where there is none."""
    if not (found := spans(text, words, at_most=1)):
        return None
    begin, end = found[0]
    start, stop = max(0, begin - AROUND), min(len(text), end + 3 * AROUND)
    before = ("…" if start else "") + _on_one_line(text[start:begin])
    after = _on_one_line(text[end:stop]) + ("…" if stop < len(text) else "")
    return before, _on_one_line(text[begin:end]), after


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@lru_cache(maxsize=4096)
def _folded_letter(letter: str) -> str:
    return fold(letter)


def _doubled(folded: str) -> str:
    return "".join(c + c for c in folded)


def _literal(c: str) -> str:
    return f"\\{c}" if c in "\\%_" else c
