"""Sentences: whole in both languages, with nothing missing and nothing technical."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notification.wording import LOCALES, Details, compose
from services.notification.wording.reporter import MOVED, REFUSALS, WRITERS
from services.notification.wording.staff import WORK
from shared.contracts.vocabulary import RefusalReason, State
from shared.moments import written_due
from shared.privacy import PLACEHOLDERS
from shared.web import catalogue

AT = datetime(2026, 3, 4, 2, 12, tzinfo=UTC)
DUE = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("receipt", {}),
    ("reopened", {}),
    ("reply", {"text": "words", "department": "it"}),
    ("question", {"text": "words", "department": "it"}),
    ("progress", {"text": "words", "department": "it", "after": True}),
    ("rejected", {"text": "words"}),
    ("rejected", {"text": "words", "instead": "the Student Union"}),
    ("rejected", {"text": "words", "instead": f"the office, {''.join(PLACEHOLDERS)}"}),
    ("appeal", {"text": "words", "instead": "the Student Union", "upheld": False}),
    *[("refused", {"reason": str(reason)}) for reason in RefusalReason],
    ("restored", {}),
    ("restored", {"rejected": True}),
    ("merged", {"due": DUE.isoformat()}),
    ("parted", {}),
    ("matters", {"until": DUE.isoformat()}),
    ("status", {"state": "IN_PROGRESS", "department": "it", "due": DUE.isoformat()}),
    ("status", {"state": "TRIAGE", "due": DUE.isoformat(), "late": True}),
    ("status", {"state": "MERGED", "split": True}),
    *(("status", {"state": str(state)}) for state in State),
    ("delay", {"was": DUE.isoformat(), "department": "it"}),
    ("delay", {"was": AT.isoformat(), "due": DUE.isoformat(), "reason": "calendar"}),
    *[
        ("new_work", {"what": what, "priority": "P1", "text": "words"})
        for what in ("triage", "accept", "returned", "reopened", "assigned", "unassigned", "appeal")
    ],
    ("news", {"what": "urged"}),
    ("news", {"what": "unreached"}),
    ("news", {"what": "unsure"}),
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
        events = Details(
            url="https://x.example/track/CODE",
            locale=locale,
            received_at=AT,
            due=due,
            channel=channel,
            params=params,
            department_name=lambda code, locale: "信息系统部" if locale == "zh" else "Systems",
        )
        subject, text = compose(kind, events)
        assert subject
        assert "\n" not in subject
        assert "https://x.example/track/CODE" in text
        assert "None" not in text
        assert not re.search(r"\{|\}|\n\n\n", text)
        if locale == "en":
            assert not re.search(r"[一-鿿]", subject + text)


@pytest.mark.parametrize(("kind", "params"), MESSAGES)
def test_an_english_date_in_a_letter_to_a_reporter_says_by(
    kind: str, params: dict[str, Any]
) -> None:
    if kind in WRITERS:
        text = compose(kind, Details(url="u", locale="en", due=DUE, params=params))[1]
        assert not re.search(rf"(?<!by )(?<!until ){written_due(DUE, 'en')}", text)


@pytest.mark.parametrize(
    ("locale", "said"), [("zh", "直接在这里回复就行"), ("en", "Simply reply in this chat")]
)
def test_who_is_asked_in_wechat_may_simply_reply_there(locale: str, said: str) -> None:
    for channel, there in (("wechat", True), ("email", False)):
        asked = Details(url="u", locale=locale, channel=channel, params={"text": "哪一台？"})
        assert (said in compose("question", asked)[1]) is there


def test_the_words_of_a_reply_are_not_touched() -> None:
    words = "  第一行\n\n\n第二行 {0} %s\t<b>"
    events = Details(url="u", params={"text": words})
    assert words in compose("reply", events)[1]


@pytest.mark.parametrize("kind", ["rejected", "appeal"])
def test_a_short_message_says_where_to_go_instead_where_it_can(kind: str) -> None:
    def said(instead: str) -> str:
        params = {"text": "x" * 3000, "instead": instead}
        return compose(kind, Details(url="u", channel="wechat", short=True, params=params))[1]

    assert "这类事可以这样办：学生会权益部 {x}" in said("学生会权益部 {x}")
    assert len(said("学" * 3000).encode()) < 1000


def test_an_unknown_locale_reads_chinese_and_an_unknown_reason_is_said_as_it_is() -> None:
    events = Details(
        url="u",
        locale="fr",
        params={"was": AT.isoformat(), "due": DUE.isoformat(), "reason": "等配件"},
    )
    assert "原因：等配件" in compose("delay", events)[1]


@pytest.mark.parametrize("locale", catalogue.LOCALES)
@pytest.mark.parametrize("reason", [*map(str, RefusalReason), "of_tomorrow", "feedback.x_y"])
def test_a_refused_request_is_explained_in_words_never_in_a_code(locale: str, reason: str) -> None:
    text = compose("refused", Details(url="https://x", locale=locale, params={"reason": reason}))[1]
    assert reason not in text
    assert "_" not in text
    known = reason in REFUSALS
    assert known == (reason in set(RefusalReason) - {RefusalReason.OTHER})
    if known:
        assert Details(url="", locale=locale).say(REFUSALS[reason]) in text


@pytest.mark.parametrize("locale", catalogue.LOCALES)
@pytest.mark.parametrize("reason", [*MOVED, "reopened", "dispatched", ""])
def test_a_moved_promise_is_explained_in_words_never_in_a_code(locale: str, reason: str) -> None:
    params = {"was": AT.isoformat(), "due": DUE.isoformat(), "reason": reason}
    text = compose("delay", Details(url="https://x", locale=locale, params=params))[1]
    assert not reason or reason not in text


def test_every_code_has_words_and_every_sentence_its_translation() -> None:
    english = catalogue.load([LOCALES], "en")
    for table in (REFUSALS, MOVED, WORK):
        assert set(table.values()) <= set(english)
    source = "".join(p.read_text() for p in (LOCALES.parent / "wording").glob("*.py"))
    said = set(re.findall(r'"([^"`\n]*[\u4e00-\u9fff：。][^"`\n]*)"', source))
    said = {sentence for sentence in said if "value" not in sentence} | {*PLACEHOLDERS}
    assert said <= set(english), said - set(english)
    assert set(english) <= said, set(english) - said
    for zh, en in english.items():
        assert sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", en))


def test_whoever_gets_a_reply_back_is_told_where_it_says_what_to_change() -> None:
    subject, text = compose("new_work", Details(url="https://x", params={"what": "sent_back"}))
    assert (subject, "要改什么" in text) == ("您的答复被退回修改", True)


def test_who_reads_answers_does_not_say_that_nobody_does() -> None:
    assert "没有人能看到" in compose("receipt", Details(url="u"))[1]
    assert "没有人能看到" not in compose("receipt", Details(url="u", answerable=True))[1]


def test_a_word_after_the_answer_promises_no_other_answer() -> None:
    params = {"text": "words", "department": "it"}
    for locale, before, after in (("zh", "还会答复您", "补充"), ("en", "will", "added to")):
        _, text = compose("progress", Details(url="…", locale=locale, params=params))
        assert before in text
        said = params | {"after": True}
        _, text = compose("progress", Details(url="…", locale=locale, params=said))
        assert after in text and "还会答复您" not in text


@pytest.mark.parametrize("kind", ["reply", "progress"])
@pytest.mark.parametrize(
    ("locale", "said"), [("zh", "，用户关系办公室"), ("en", ", the User Relations Office ")]
)
def test_without_a_department_the_office_answers(kind: str, locale: str, said: str) -> None:
    params = {"text": "words", "department": None}
    _, text = compose(kind, Details(url="…", locale=locale, params=params))
    assert said in text
