"""Errors on a page name fields as people call them."""

from __future__ import annotations

from typing import Any

import pytest

from services.desk.api.bodies import BODIES
from shared.web.field_words import FIELD_NAMES, wrong_lines


@pytest.mark.parametrize(
    ("errors", "locale", "shown"),
    [
        ({"title": "必填"}, "zh", [("title", "标题", "必填")]),
        ({"parts.0.title": "is required"}, "en", [("parts.0.title", "Title", "is required")]),
        # A field that people have no word for: what is said of it stands alone.
        ({"occurred_in": "须为日期"}, "zh", [("occurred_in", "", "须为日期")]),
        # Neither what the sentence above says already, nor what only a program reads.
        ({"to": "结束早于开始。"}, "zh", []),
        ({"version": "required", "cursor": "invalid", "r1.name": "name"}, "zh", []),
        (None, "zh", []),
    ],
)
def test_a_page_lists_what_is_wrong_in_peoples_words(
    errors: Any, locale: str, shown: list[tuple[str, str, str]]
) -> None:
    assert list(wrong_lines(errors, "结束早于开始。", locale)) == shown


def test_every_field_of_an_action_has_a_name() -> None:
    fields = {f.alias or name for body in BODIES.values() for name, f in body.model_fields.items()}
    assert fields <= set(FIELD_NAMES)
