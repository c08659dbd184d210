"""The matching form of what people write. Never stored: a comment is kept as it was typed."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache

from shared.nfkc import nfkc

LIMIT = 50_000
"""Characters of folded text that rules look at; one `ﷺ` folds into eighteen."""

_CHARACTERS = 8_192
"""So many characters are known at once: more than anybody writes in."""
_SPACE = re.compile(r"\s+")
_SPACE_BESIDE_CJK = re.compile("(?<=[⺀-鿿]) | (?=[⺀-鿿])")
_QUOTES = str.maketrans("‘’“”「」『』", '\'\'""""""')
_INVISIBLE = frozenset("\u034f\u115f\u1160\u3164\u17b4\u17b5")
_CLAUSE_END = re.compile(r"[,，。！？!?；;、\n…]|\.(?=\s|$|\.)")
_SENTENCE_END = re.compile(r"[。！？!?；;\n…]|\.(?=\s|$|\.)")


def fold(text: str) -> str:
    """Return `text` as rules see it: NFKC, case folded, nothing invisible, single spaces.

    Spaces next to Chinese characters go (占 座 is 占座); a run of blanks that contains a line
    end becomes one line end, because that also ends a sentence. Linear in the length of `text`.
    """
    if not text:
        return ""
    text = nfkc(text[:LIMIT])[:LIMIT].casefold().translate(_QUOTES)
    drop = {ord(c): None for c in set(text) if _invisible(c)}
    if drop:
        text = text.translate(drop)
    text = _SPACE.sub(lambda run: "\n" if "\n" in run[0] else " ", text)
    return _SPACE_BESIDE_CJK.sub("", text).strip()[:LIMIT]


@lru_cache(maxsize=_CHARACTERS)
def _invisible(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Cc":
        return not char.isspace()
    return category == "Cf" or char in _INVISIBLE or "\ufe00" <= char <= "\ufe0f"


class Segments:
    """Clauses and sentences of a folded text, found once, asked by position."""

    def __init__(self, text: str) -> None:
        self._ends = {
            "clause": [m.end() for m in _CLAUSE_END.finditer(text)],
            "sentence": [m.end() for m in _SENTENCE_END.finditer(text)],
            "text": [],
        }

    def index(self, scope: str, position: int) -> int:
        """Number of the clause, sentence or text that `position` lies in."""
        return bisect_right(self._ends[scope], position)

    def start(self, scope: str, position: int) -> int:
        """Where the clause, sentence or text that holds `position` begins."""
        number = self.index(scope, position)
        return self._ends[scope][number - 1] if number else 0
