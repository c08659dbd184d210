"""Every line a reporter may read has a sentence in both languages, without jargon."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.tracking.domain import words
from services.tracking.domain.lines import KEPT, PROMISED, TOLD_KINDS
from shared.contracts import short_type
from shared.contracts.vocabulary import OPEN

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "feedback.rated": [{"stars": n, "solved": s} for n in (1, 5) for s in ("yes", "partly", "no")],
    "case.resumed": [{"reason": r} for r in ("supplied", "timeout", "staff")],
    "case.closed": [{"how": h} for h in ("rated", "staff", "quiet")],
    "case.rejected": [{"reason": "不属于图书馆"}],
    "case.request_refused": [
        {"request": r}
        for r in ("feedback.reopen_requested", "feedback.withdrawn", "feedback.appealed")
    ],
    "case.info_requested": [{"department": "it", "question": "哪一台？"}],
    "sla.promised": [{"clock": c, "due": "x"} for c in sorted(PROMISED)]
    + [{"clock": "RESOLUTION", "due": "x", "moved": True, "reason": "calendar"}],
    "sla.breached": [{"clock": c} for c in sorted(PROMISED)],
    "sla.resumed": [{"due": "x"}],
    "notification.sent": [
        {"kind": k, "channel": c}
        for k in sorted(TOLD_KINDS)
        for c in ("email", "wechat", "console")
    ],
}
JARGON = re.compile(r"case|ticket|SLA|工单|退单|签收|派单|[{}]")
CASES = [
    (short_type(fact.type), data)
    for fact in KEPT
    for data in EXAMPLES.get(short_type(fact.type), [{"department": "it"}])
]


def say(type_: str, data: dict[str, Any], locale: str) -> str:
    return words.sentence(
        type_,
        data,
        locale=locale,
        say_due=lambda due: "by 17:00 on Tue" if locale == "en" else "周二 17:00 前",
        name_of=lambda code: {"it": "IT" if locale == "en" else "信息系统部"}.get(code or "", ""),
    )


@pytest.mark.parametrize(("type_", "data"), CASES)
def test_every_line_is_said_in_plain_words(type_: str, data: dict[str, Any]) -> None:
    chinese, english = say(type_, data, "zh"), say(type_, data, "en")
    assert chinese != english
    assert chinese.endswith(("。", "？", "图书馆"))
    assert not JARGON.search(chinese), chinese
    assert not JARGON.search(english.replace("in case", "")), english


def test_what_people_typed_is_never_a_pattern() -> None:
    said = say("case.info_requested", {"department": "it", "question": "{dept} {due} {why}?"}, "zh")
    assert said == "信息系统部想问您：{dept} {due} {why}?"


@pytest.mark.parametrize("state", sorted(OPEN | {"REPLIED"}))
def test_every_state_that_goes_on_says_what_comes_next(state: str) -> None:
    assert words.next_step(state, "信息系统部", "zh").startswith("接下来：")
    assert words.next_step(state, "", "en").startswith("Next: ")
