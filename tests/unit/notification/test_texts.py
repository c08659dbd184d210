"""Sentences: whole in both languages, with nothing missing and nothing technical."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notification.texts import Facts, by_when, compose

AT = datetime(2026, 3, 4, 2, 12, tzinfo=UTC)
DUE = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("receipt", {}),
    ("reopened", {}),
    ("reply", {"text": "words", "department": "it"}),
    ("question", {"text": "words", "department": "it"}),
    ("rejected", {"text": "words"}),
    ("refused", {"text": "words"}),
    ("delay", {"was": DUE.isoformat(), "department": "it"}),
    ("delay", {"was": AT.isoformat(), "due": DUE.isoformat(), "reason": "calendar"}),
    *[
        ("new_work", {"what": what, "priority": "P1", "text": "words"})
        for what in ("triage", "accept", "returned", "reopened", "assigned", "appeal")
    ],
    ("news", {"what": "urged"}),
    ("news", {"what": "supplemented"}),
    ("warning", {"clock": "RESOLUTION", "due": DUE.isoformat()}),
    ("breach", {"clock": "TRIAGE", "due": DUE.isoformat()}),
    ("escalation", {"clock": "ACCEPT", "due": DUE.isoformat()}),
]


@pytest.mark.parametrize(("kind", "params"), MESSAGES)
@pytest.mark.parametrize("due", [None, DUE])
@pytest.mark.parametrize("channel", ["email", "wechat"])
def test_every_message_is_whole_in_both_languages(
    kind: str, params: dict[str, Any], due: datetime | None, channel: str
) -> None:
    for locale in ("zh", "en"):
        facts = Facts(
            url="https://x.example/track/CODE",
            locale=locale,
            received_at=AT,
            due=due,
            channel=channel,
            params=params,
            department_name=lambda code, locale: "信息系统部" if locale == "zh" else "Systems",
        )
        subject, text = compose(kind, facts)
        assert subject
        assert "\n" not in subject
        assert "https://x.example/track/CODE" in text
        assert "None" not in text
        assert not re.search(r"\{|\}|\n\n\n", text)
        if locale == "en":
            assert not re.search(r"[一-鿿]", subject + text)


def test_the_words_of_a_reply_are_not_touched() -> None:
    words = "  第一行\n\n\n第二行 {0} %s\t<b>"
    facts = Facts(url="u", params={"text": words})
    assert words in compose("reply", facts)[1]


def test_a_date_in_a_message_names_its_day() -> None:
    assert by_when(DUE) == "3月11日（周三）17:00 前"
    assert by_when(DUE, "en") == "by 17:00 on Wed 11 Mar"


def test_an_unknown_locale_reads_chinese_and_an_unknown_reason_is_said_as_it_is() -> None:
    facts = Facts(
        url="u",
        locale="fr",
        params={"was": AT.isoformat(), "due": DUE.isoformat(), "reason": "等配件"},
    )
    assert "原因：等配件" in compose("delay", facts)[1]
