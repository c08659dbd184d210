"""Words that a reply may begin with, and what is filled into them (快捷回复)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from shared.privacy import PLACEHOLDERS

VARIABLES: Mapping[str, tuple[str, str]] = {
    "salutation": ("称呼", "salutation"),
    "title": ("标题", "title"),
    "category": ("类别", "category"),
    "received": ("反映日期", "received"),
    "department": ("部门", "department"),
    "handler": ("经办人", "handler"),
    "today": ("今天", "today"),
    "due": ("答复期限", "due"),
    "rule": ("依据", "rule"),
}
"""Code → how it is written in braces, in Chinese and in English; either is understood.

The tracking code is none of them: whoever has it is taken for the reporter, and words of a reply
stand in the log. The letter that carries a reply ends with the reporter's own link.
"""
_CODES = {name: code for code, names in VARIABLES.items() for name in (code, *names)}
_BRACE = re.compile(r"[{｛｝}]")
_SHOWN = 12
"""Characters that show where a brace stands."""
_PLACE = re.compile(r"[{｛](?:[ \u3000]*+(?![}｝]))?([^{}｛｝\n]{1,40}?)[ \u3000]*+[}｝]")


def unknown_variables(text: str) -> list[str]:
    """What stands in braces and is none of `VARIABLES`, once each."""
    names = (match[1] for match in _PLACE.finditer(text))
    return list(dict.fromkeys(name for name in names if name.lower() not in _CODES))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with each variable that has a value; the others stay as they are, to be seen.

    A value is never looked into for more of them.
    """

    def value(match: re.Match[str]) -> str:
        code = _CODES.get(match[1].lower())
        return values.get(code or "") or match[0]

    return _PLACE.sub(value, text)


def variables(text: str) -> frozenset[str]:
    """The codes of the variables in `text`."""
    return frozenset(_CODES[m[1].lower()] for m in _PLACE.finditer(text) if m[1].lower() in _CODES)


def loose_brace(text: str) -> str | None:
    """The first brace without its other half, with what follows it; None where there is none."""
    left = _PLACE.sub(lambda match: " " * len(match[0]), text)
    found = _BRACE.search(left)
    return text[found.start() :][:_SHOWN].splitlines()[0] if found else None


def unfilled(text: str) -> list[str]:
    """Variables that are still to be filled, as they stand in `text`, once each."""
    found = [m[0] for m in _PLACE.finditer(text) if m[1].lower() in _CODES]
    return list(dict.fromkeys(found))


def masks_left(text: str) -> list[str]:
    """What was masked where `text` was taken from, as it stands in it, once each."""
    return [one for one in PLACEHOLDERS if one in text]


def not_filled_in(text: str) -> tuple[str, str] | None:
    """Why these words cannot go out, in both languages: a variable of ours stands in them still.

    Other braces are letters."""
    return _still_open(unfilled(text))


def not_for_a_reader(text: str) -> tuple[str, str] | None:
    """The same of words as they were typed for the reporter, who would read 〔电话〕 as it is."""
    return _still_open(unfilled(text) + masks_left(text))


def with_places(text: str, place: str) -> str:
    """`text` with `place` for each variable of ours."""
    return _PLACE.sub(lambda m: place if m[1].lower() in _CODES else m[0], text)


def _still_open(left: list[str]) -> tuple[str, str] | None:
    if not left:
        return None
    named = " ".join(left)
    return (
        f"还有没填上的：{named}。请写上它该是什么再发。",
        f"Still to be filled in: {named}. Please write what belongs there first.",
    )


def possible(locale: str, codes: Collection[str] = tuple(VARIABLES)) -> list[str]:
    """All of them as one writes them: ``{称呼}``."""
    return [f"{{{VARIABLES[code][locale == 'en']}}}" for code in codes]
