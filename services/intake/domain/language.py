"""In which language somebody writes, where their words alone say it: a chat asks for none."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?<!\S)\S*(?:://|@|www\.)[!-~]*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
_OTHER = re.compile(r"[^\W\d_A-Za-z\u4e00-\u9fff]")
"""Letters of neither: kana, Cyrillic, accents."""
SENTENCE = 3
"""Words of English; fewer are names and signs (WiFi, OK), which Chinese has, too."""


def language_of(words: str, otherwise: str) -> str:
    """``zh`` or ``en`` of who writes one of them alone, else `otherwise`."""
    words = _ADDRESS.sub(" ", words)
    if _OTHER.search(words):
        return otherwise
    english = len(_WORD.findall(words)) >= SENTENCE
    if _HAN.search(words):
        return otherwise if english else "zh"
    return "en" if english else otherwise
