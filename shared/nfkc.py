"""Text in one form of Unicode, whatever somebody typed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_MARKS_IN_A_ROW = 8
_CHARACTERS = 8_192
"""So many characters are known at once: more than anybody writes in."""


def nfkc(text: str) -> str:
    """`text` in NFKC, in linear time: of a run of combining marks the first 8 are kept, because to
    sort them takes the square of their number."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _shorten_marks(text))


@lru_cache(maxsize=_CHARACTERS)
def _begins_with_mark(char: str) -> bool:
    # Some characters are no marks themselves but begin with one once decomposed (U+FF9E).
    return bool(unicodedata.combining(unicodedata.normalize("NFKD", char)[0]))


def _shorten_marks(text: str) -> str:
    marks = {c for c in set(text) if _begins_with_mark(c)}
    if not marks:
        return text
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if char in marks else 0
        if run <= _MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)
