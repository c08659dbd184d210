"""What pydantic finds wrong, said in Chinese or English: its own sentences are a library's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DATE = ("请写成 2026-03-09 这样的日期", "must be a date like 2026-03-09")
_HOUR = ("请写成 08:30 这样的时间", "must be a time like 08:30")
_MOMENT = (
    "请写成 2026-03-09T08:30:00+08:00 这样的时间",
    "must be a moment like 2026-03-09T08:30:00+08:00",
)
_NUMBER = ("须为数字", "must be a number")
_SOMETHING = ("请写点什么", "please write something")
_LIST = ("须为列表", "must be a list")
_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("必填", "is required"),
    "extra_forbidden": ("没有这一项", "there is no such field"),
    "none_required": ("须为空", "must be empty"),
    "greater_than": ("须大于 {gt}", "must be more than {gt}"),
    "greater_than_equal": ("不小于 {ge}", "at least {ge}"),
    "less_than": ("须小于 {lt}", "must be less than {lt}"),
    "less_than_equal": ("不大于 {le}", "at most {le}"),
    "multiple_of": ("须为 {multiple_of} 的倍数", "must be a multiple of {multiple_of}"),
    "string_too_long": ("最多 {max_length} 个字", "at most {max_length} characters"),
    "string_too_short": ("至少 {min_length} 个字", "at least {min_length} characters"),
    "string_pattern_mismatch": ("格式不对", "is not written as it should be"),
    "string_sub_type": ("须为文字", "must be text"),
    "too_long": ("最多 {max_length} 项", "at most {max_length} of them"),
    "too_short": ("至少 {min_length} 项", "at least {min_length} of them"),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "int_from_float": ("须为整数", "must be a whole number"),
    "int_parsing_size": ("数字太大", "is too large a number"),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "time_type": _HOUR,
    "time_parsing": _HOUR,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": (
        "时间要带时区，如 2026-03-09T08:30:00+08:00",
        "must say its offset, like 2026-03-09T08:30:00+08:00",
    ),
    "uuid_type": ("编号不对", "is no identifier"),
    "uuid_parsing": ("编号不对", "is no identifier"),
    "int_parsing": ("须为整数", "must be a whole number"),
    "int_type": ("须为整数", "must be a whole number"),
    "bool_type": ("须为 true 或 false", "must be true or false"),
    "bool_parsing": ("须为 true 或 false", "must be true or false"),
    "string_type": ("须为文字", "must be text"),
    "string_unicode": ("请去掉特殊控制字符", "please remove control characters"),
    "dict_type": ("须为对象", "must be an object"),
    "model_type": ("须为对象", "must be an object"),
    "model_attributes_type": ("须为对象", "must be an object"),
    "mapping_type": ("须为对象", "must be an object"),
}
"""Type of an error → Chinese, English; the values in braces are those of its context."""
_NOT_RIGHT = ("格式不对", "is not right")


def error_words(error: Mapping[str, Any], *, english: bool) -> str:
    """One of ``ValidationError.errors()`` as a sentence without the library's words."""
    kind = error["type"]
    context = error.get("ctx") or {}
    if kind in ("too_long", "too_short") and isinstance(error.get("input"), str):
        kind = f"string_{kind}"  # the bound stands behind another check of a text
    if kind == "string_too_short" and context.get("min_length") == 1:
        return _SOMETHING[english]
    if words := _WORDS.get(kind):
        return words[english].format(**context)
    if kind in ("value_error", "assertion_error") and (own := str(context.get("error", ""))):
        return in_language(own, "en" if english else "zh")
    if kind in ("enum", "literal_error"):
        return _choice_words(context.get("expected", ""), english=english)
    return _NOT_RIGHT[english]


def in_language(words: str, locale: str) -> str:
    """Of ``中文 | English`` the half that is read."""
    zh, _, en = words.partition(" | ")
    return (en or zh) if locale == "en" else zh


def _choice_words(expected: str, *, english: bool) -> str:
    """``'P1', 'P2' or 'P3'``, as pydantic lists them, in one language."""
    *others, last = re.findall(r"'([^']*)'", expected) or [expected]
    comma, conjunction = (", ", " or ") if english else ("、", " 或 ")
    listed = f"{comma.join(others)}{conjunction}{last}" if others else last
    if english:
        return f"must be one of {listed}" if others else f"must be {listed}"
    return f"须为 {listed}"
