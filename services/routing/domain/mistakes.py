"""What is wrong with edited rules, and on which line: a sentence in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.validation import error_words

Path = tuple[str | int, ...]
"""``("rules", 3, "weight")``: the way to a value in a document."""

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BARE = re.compile(r"[^\s,\]}]+")
_CHINESE: Mapping[str, str] = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "greater_than": "须大于 {gt:g}",
    "greater_than_equal": "不能小于 {ge:g}",
    "less_than_equal": "不能大于 {le:g}",
    "string_too_short": "请写点什么",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "只能用小写字母、数字和 . _ -，以字母或数字开头，最多 64 个",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct. `line` is known where the rules came as text."""

    zh: str
    en: str
    path: Path = ()
    rule: str | None = None
    line: int | None = None
    kind: str | None = None
    """What a form that knows its fields by other names says in its own words."""

    def sentence(self, locale: str = "en") -> str:
        """``line 12: rule seats.held: weight: Input should be …``."""
        inside = self.path[2:] if self.rule is not None else self.path
        field = ".".join(str(part) for part in inside)
        if locale == "en":
            parts = [
                f"line {self.line}: " if self.line else "",
                f"rule {self.rule}: " if self.rule is not None else "",
                f"{field}: " if field else "",
                self.en,
            ]
        else:
            parts = [
                f"第 {self.line} 行：" if self.line else "",
                f"规则 {self.rule}：" if self.rule is not None else "",
                f"{field}：" if field else "",
                self.zh,
            ]
        return "".join(parts)


class RulesInvalid(ValueError):
    """The rules cannot be used; `mistakes` says what is wrong where, `errors` in English."""

    status = 422

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        self.errors = tuple(mistake.sentence() for mistake in self.mistakes)
        super().__init__("; ".join(self.errors))


class NotJson(RulesInvalid):
    """The text cannot be read at all."""

    status = 400


class Incomplete(ValueError):
    """What the fields of a rule say does not go together; `kind` is the same for each like it."""

    def __init__(self, kind: str, zh: str, en: str) -> None:
        self.kind = kind
        super().__init__(f"{zh} | {en}")


class InRule(ValueError):
    """A mistake that shows only when all rules are seen together; it is the `number`-th rule's."""

    def __init__(self, number: int, zh: str, en: str) -> None:
        self.number = number
        super().__init__(f"{zh} | {en}")


def chinese(problem: Mapping[str, Any]) -> str:
    """What pydantic found, in Chinese."""
    kind, context = problem["type"], problem.get("ctx") or {}
    if kind in _CHINESE:
        return _CHINESE[kind].format(**context)
    return error_words(problem, english=False)


def line_at(text: str, position: int) -> int:
    """Number of the line that holds `position`, from 1."""
    return text.count("\n", 0, position) + 1


def spans(text: str) -> dict[Path, tuple[int, int]]:
    """Where each value of a JSON text begins and ends. The text must have been parsed before."""
    found: dict[Path, tuple[int, int]] = {}
    _value(text, _skip(text, 0), (), found)
    return found


def nearest(found: Mapping[Path, tuple[int, int]], path: Path) -> tuple[int, int] | None:
    """Where `path` stands, or what is closest around a value that is missing."""
    for length in range(len(path), 0, -1):
        if (span := found.get(path[:length])) is not None:
            return span
    return None


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, path: Path, found: dict[Path, tuple[int, int]]) -> int:
    if text[at] in "{[":
        end = _members(text, at, path, found, named=text[at] == "{")
    else:
        end = _plain(text, at)
    found[path] = (at, end)
    return end


def _plain(text: str, at: int) -> int:
    """Where a string, a number or a word ends."""
    match = (_STRING if text[at] == '"' else _BARE).match(text, at)
    return match.end() if match else at + 1


def _members(
    text: str, at: int, path: Path, found: dict[Path, tuple[int, int]], *, named: bool
) -> int:
    at = _skip(text, at + 1)
    number = 0
    while text[at] not in "}]":
        key: str | int = number
        if named:
            end = _plain(text, at)
            key, at = json.loads(text[at:end]), _skip(text, _skip(text, end) + 1)
        at = _skip(text, _value(text, at, (*path, key), found))
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    return at + 1
