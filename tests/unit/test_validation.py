"""What is wrong with a field is said in the reader's language, never in the library's words."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from services.desk.api.bodies import BODIES, Absence, Draft, NewPassword, SignIn, Split
from services.desk.pages.filters import Name
from services.routing.domain import mistakes
from shared.contracts.vocabulary import Priority
from shared.validation import error_words

_OWN = ("value_error", "assertion_error")
"""What our own checks raise: their words are ours."""
_FORMS = r"2026-03-09(T08:30:00\+08:00)?|08:30|true|false"


def found(model: type[BaseModel], **values: object) -> dict[str, tuple[str, str]]:
    """Field → what is said of it, in Chinese and English."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return {
        ".".join(map(str, e["loc"])): (error_words(e, english=False), error_words(e, english=True))
        for e in caught.value.errors(include_url=False)
    }


@pytest.mark.parametrize("known", list_all_errors(), ids=lambda known: known["type"])
def test_no_sentence_of_the_library_reaches_a_reader(known: dict) -> None:
    context = known.get("example_context") or {}
    error = {"type": known["type"], "ctx": context, "msg": known["example_message_python"]}
    zh, en = error_words(error, english=False), error_words(error, english=True)
    values = "|".join(re.escape(str(value)) for value in context.values())
    left = re.sub(_FORMS, "", zh)
    left = re.sub(values, "", left) if values and known["type"] not in _OWN else left
    if known["type"] in ("enum", "literal_error"):
        left = left.replace("a", "").replace("b", "")
    elif known["type"] in _OWN:
        return
    assert not re.search("[A-Za-z]", left), zh
    assert re.search("[\u4e00-\u9fff]", zh)
    assert not en.startswith(("Input", "Value", "Field"))
    assert not re.search("[\u4e00-\u9fff]", en)
    # The rules of routing are checked by the same library.
    assert known["example_message_python"] not in mistakes.chinese(error)


def test_how_many_is_said_of_texts_and_of_lists() -> None:
    assert found(Split, parts=[]) == {"parts": ("至少 2 项", "at least 2 of them")}
    assert found(Name, name="x" * 61) == {"name": ("最多 60 个字", "at most 60 characters")}
    assert found(Split, parts=[{"text": "x"}] * 11)["parts"][0] == "最多 10 项"


def test_of_a_list_written_as_a_text_it_is_said_how_it_is_written() -> None:
    few = ("至少两件，中间空一行", "write at least two, with an empty line between them")
    for text in ("一段很长的话，没有空行\n第二行", "一件\n\n \n", ""):
        assert found(Split, parts=text) == {"parts": few}
    assert found(Split, parts="一件\n\n" * 11) == {"parts": ("最多 10 项", "at most 10 of them")}


def test_a_moment_without_its_offset_is_said_with_an_example() -> None:
    zh, en = found(Absence, until="2026-03-09T08:30:00")["until"]
    assert zh == "时间要带时区，如 2026-03-09T08:30:00+08:00"
    assert en == "must say its offset, like 2026-03-09T08:30:00+08:00"


def test_choices_are_listed_as_the_language_lists_them() -> None:
    class Choice(BaseModel):
        priority: Priority
        one: Literal["a"]

    assert found(Choice, priority="P9", one="b") == {
        "priority": ("须为 P1、P2、P3 或 P4", "must be one of P1, P2, P3 or P4"),
        "one": ("须为 a", "must be a"),
    }


@pytest.mark.parametrize(
    "model", dict.fromkeys([*BODIES.values(), Absence, Draft, NewPassword, SignIn, Name])
)
@pytest.mark.parametrize("wrong", [None, [], {}, 0.5, "", "x" * 60_000, "\x00", [[]], True])
def test_whatever_stands_in_a_body_is_answered_in_chinese(
    model: type[BaseModel], wrong: object
) -> None:
    names = [info.alias or name for name, info in model.model_fields.items()]
    try:
        model.model_validate(dict.fromkeys(names, wrong))
    except ValidationError as error:
        for one in error.errors(include_url=False):
            zh = error_words(one, english=False)
            assert re.search("[\u4e00-\u9fff]", zh)
            assert one["msg"] not in zh
