"""Where in a typed document a mistake stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain import NotJson, RulesInvalid, parse_rules, with_version
from services.routing.domain.mistakes import nearest, spans
from services.routing.seeds import SHIPPED, load_rules

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
TYPED = """{
  "version": 3,
  "rules": [
    {
      "id": "a", "category": "seats", "note": "甲", "note_en": "A",
      "phrases": ["占座"],
      "weight": 0.5
    },
    {
      "id": "b", "category": "seats", "note": "乙", "note_en": "B",
      "phrases": ["@nobody"],
      "weight": 5
    }
  ]
}"""


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_value_is_found_where_it_stands(value: Any, indent: int | None, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)

    def check(inside: Any, path: tuple[str | int, ...]) -> None:
        start, end = found[path]
        assert json.loads(text[start:end]) == inside
        for key, one in (
            inside.items()
            if isinstance(inside, dict)
            else enumerate(inside)
            if isinstance(inside, list)
            else ()
        ):
            check(one, (*path, key))

    found = spans(text)
    check(value, ())


def test_what_is_missing_is_told_where_it_should_be() -> None:
    found = spans('{\n"rules": [\n{"id": "x"}]}')
    assert nearest(found, ("rules", 0, "note")) == found["rules", 0]
    assert nearest(found, ()) is None


def test_a_mistake_has_its_line_in_both_languages() -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(TYPED)
    (mistake,) = caught.value.mistakes
    assert mistake.line == 12
    assert mistake.sentence("zh") == "第 12 行：规则 b：weight：不能大于 1"
    assert mistake.sentence("en").startswith("line 12: rule b: weight: Input should be")


def test_a_mistake_that_shows_late_has_its_line_too() -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(TYPED.replace("5\n    }\n", "0.5}\n"))
    assert caught.value.errors == ("line 9: rule b: there is no group '@nobody'",)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a": 1' + "0" * 5000 + "}", "\ufeff{}"])
def test_what_cannot_be_read_is_no_json(text: str) -> None:
    with pytest.raises(NotJson):
        parse_rules(text)


@pytest.mark.parametrize("depth", [100, 300, 600, 900, 2_000, 50_000])
@pytest.mark.parametrize("around", ['{"rules": %s}', '{"rules": [], "groups": {"a": [%s]}}'])
def test_what_is_nested_too_deeply_is_refused_in_words(around: str, depth: int) -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(around % ("[" * depth + "]" * depth))
    assert caught.value.errors


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800"])
def test_what_no_database_holds_is_refused_wherever_it_stands(bad: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(TYPED.replace("乙", bad))
    assert "line 10: rule b: note: please remove control characters" in caught.value.errors


def test_a_version_is_changed_and_nothing_else() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    changed = with_version(text, 77)
    assert parse_rules(changed).version == 77
    assert with_version(changed, load_rules().version) == text
    assert parse_rules(with_version('{"rules": []}', 4)).version == 4
