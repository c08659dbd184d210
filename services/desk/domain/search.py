"""Words made findable: folded, and every letter doubled.

A trigram index finds nothing for 占座: two characters hold no trigram. Written 占占座座 they hold
two, and a text contains a word exactly when the doubled text contains the doubled word.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)


def fold(text: str) -> str:
    """Without case, width and what cannot be seen."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def findable(title: str, text: str) -> str:
    """What stands in the index for a case."""
    return "".join(c + c for c in fold(f"{title}\n{text}"))


def pattern(words: str) -> str:
    """The LIKE pattern that finds `words` literally; ``%``, ``_`` and ``\\`` mean nothing."""
    return "%" + "".join(_literal(c) * 2 for c in fold(words)) + "%"


def _literal(c: str) -> str:
    return f"\\{c}" if c in "\\%_" else c
