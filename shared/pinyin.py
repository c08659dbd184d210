"""How Chinese characters are said, without tones."""

from __future__ import annotations

import os


def readings(chinese: str) -> list[list[str]]:
    """For each character its readings in pinyin, the usual one first: 调 is diao and tiao.

    Nothing is loaded before somebody asks: the table of characters takes 0.2 s and 13 MB.
    """
    # Of phrases it would hold another 30 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    said: list[list[str]] = pinyin(chinese, style=Style.NORMAL, heteronym=True)
    return said
