"""How Chinese characters are said, and what is written as it is said; without tones."""

from __future__ import annotations

import os
import re

_SYLLABLE = re.compile(
    "(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?(?:ai|ei|ao|ou|ang?|eng?|ong|er|iang|iao|ian|iong|ing?|"
    "ia|ie|iu|uang|uai|uan|ua|uo|ui|un|ue|[aeiouv])"
)


def readings(chinese: str) -> list[list[str]]:
    """For each character its readings in pinyin, the usual one first: 调 is diao and tiao.

    Nothing is loaded before somebody asks: the table of characters takes 0.2 s and 13 MB.
    """
    # Of phrases it would hold another 30 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    said: list[list[str]] = pinyin(chinese, style=Style.NORMAL, heteronym=True)
    return said


def syllables(letters: str) -> tuple[str, ...] | None:
    """Into syllables, as few as may be; None where it is no pinyin."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for begin in range(max(0, end - 6), end):
            head = best[begin]
            if head is not None and _SYLLABLE.fullmatch(letters, begin, end):
                now = (*head, letters[begin:end])
                if best[end] is None or len(now) < len(best[end] or ()):
                    best[end] = now
    return best[-1]
