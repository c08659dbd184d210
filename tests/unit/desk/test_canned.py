"""What is filled into words that a reply begins with."""

from __future__ import annotations

import pytest

from services.desk.domain.canned import (
    VARIABLES,
    filled,
    loose_brace,
    possible,
    unfilled,
    unknown_variables,
    variables,
)
from services.desk.domain.hints import hints
from services.desk.seeds import canned_replies

EVERY = {code: f"<{code}>" for code in VARIABLES}


@pytest.mark.parametrize("code", VARIABLES)
def test_each_variable_is_understood_in_both_languages(code: str) -> None:
    zh, en = VARIABLES[code]
    for written in (f"{{{zh}}}", f"{{{en}}}", f"{{ {zh} }}", f"｛{zh}｝", f"{{{code.upper()}}}"):
        assert unknown_variables(written) == []
        assert variables(written) == {code}
        assert filled(f"甲{written}乙", EVERY) == f"甲<{code}>乙"
        assert unfilled(filled(written, {})) == [written]
    assert possible("zh", [code]) == [f"{{{zh}}}"]
    assert possible("en", [code]) == [f"{{{en}}}"]


@pytest.mark.parametrize(
    "text", ["{查询码}", "{{7*7}}", "${7*7}", "{code}", "{称 呼}", "{0}", "{a.b}", "{__class__}"]
)
def test_what_is_no_variable_is_named(text: str) -> None:
    assert len(unknown_variables(text)) == 1
    assert filled(text, EVERY) == text
    assert unfilled(text) == []


@pytest.mark.parametrize("text", ["", "{", "}{", "{}", "{\n}", "{称呼", "称呼}", "{" * 5000 + "x"])
def test_braces_of_nothing_are_letters(text: str) -> None:
    assert unknown_variables(text) == []
    assert filled(text, EVERY) == text


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        ("{称呼}：您好，{今天}", None),
        ("", None),
        ("您好{称呼", "{称呼"),
        ("称呼}，您好", "}，您好"),
        ("{称呼}{}", "{}"),
        ("{{称呼}}", "{{称呼}}"),
        ("{\n称呼}", "{"),
    ],
)
def test_a_brace_without_its_other_half_is_shown_where_it_stands(
    text: str, loose: str | None
) -> None:
    assert loose_brace(text) == loose


def test_a_value_is_not_looked_into_for_more() -> None:
    assert filled("{标题}", {"title": "{经办人}", "handler": "李"}) == "{经办人}"
    assert filled("{标题}{今天}", {"title": r"\1\g<0>", "today": ""}) == r"\1\g<0>{今天}"


def test_what_is_not_filled_is_a_hint_and_so_is_a_rule_without_a_version() -> None:
    def codes(text: str, rule: str | None = None) -> list[str]:
        return [code for code, _, _ in hints(text, rule=rule)]

    text = "您好，您反映的事已在{答复期限}办好，谢谢您的来信。"
    assert codes(text) == ["variables"]
    assert codes(text.replace("{答复期限}", "3月4日，电话〔电话〕")) == ["masked"]
    assert codes(text.replace("{答复期限}", "3月4日，见〔2025〕12号")) == []
    assert "{答复期限}" in next(zh for _, zh, _ in hints(text))
    assert codes(text.replace("{答复期限}", "3月4日"), "座位管理办法") == ["rule_version"]
    for rule in ("《座位管理办法》（2025 年版）", "座位管理暂行办法", "Seat rules, second edition"):
        assert codes(text.replace("{答复期限}", "3月4日"), rule) == []


@pytest.mark.parametrize("one", canned_replies(), ids=lambda one: one["reply_id"])
def test_what_is_shipped_knows_its_variables_in_both_languages(one: dict[str, str]) -> None:
    assert unknown_variables(one["zh"]) == unknown_variables(one["en"]) == []
    assert not set("，。、（）“”") & set(one["en"]) - set("“”")
