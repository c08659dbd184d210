"""Every line a reporter may read has a sentence in both languages, without jargon."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.tracking.domain.lines import KEPT, PROMISED, SHOWN_KINDS
from services.tracking.wording import Wording, journey, lines
from services.tracking.wording.messages import LOCALES
from shared.contracts import short_type
from shared.contracts.vocabulary import OPEN
from shared.web import catalogue

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "feedback.rated": [{"stars": n, "solved": s} for n in (1, 5) for s in ("yes", "partly", "no")],
    "case.resumed": [{"reason": r} for r in ("supplied", "timeout", "staff")],
    "case.closed": [{"how": h} for h in ("rated", "staff", "quiet", "incident")],
    "case.rejected": [{"reason": "不属于图书馆"}],
    "case.request_refused": [
        {"request": r}
        for r in ("feedback.reopen_requested", "feedback.withdrawn", "feedback.appealed")
    ],
    "case.waiting_external": [{"department": "it", "waiting_for": "厂家", "reason": "等配件。"}],
    "case.breach_explained": [
        {"reason": "配件没有到。"},
        {"reason": "配件没有到。", "again": True},
    ],
    "case.joined_incident": [{"title": "三层停电", "text": "正在抢修。"}],
    "case.info_requested": [{"department": "it", "question": "哪一台？"}],
    "sla.promises_changed": [
        {"promises": [{"clock": c, "due": "x", "kind": "first"}]} for c in sorted(PROMISED)
    ]
    + [
        {"promises": [{"clock": "RESOLUTION", "due": "x", "kind": "moved", "reason": "calendar"}]},
        {"promises": [{"clock": "RESOLUTION", "due": "x", "kind": "resumed"}]},
    ],
    "sla.breached": [{"clock": c} for c in sorted(PROMISED)],
    "notification.sent": [
        {"kind": k, "channel": c}
        for k in sorted(SHOWN_KINDS)
        for c in ("email", "wechat", "console")
    ],
}
HAN = re.compile(r"[\u4e00-\u9fff]")
JARGON = re.compile(r"case|ticket|SLA|工单|退单|签收|派单|[{}]")
CASES = [
    (short_type(event.type), data)
    for event in KEPT
    for data in EXAMPLES.get(short_type(event.type), [{"department": "it"}])
]


def wording(locale: str) -> Wording:
    return Wording(
        locale,
        lambda due: "by 17:00 on Tue" if locale == "en" else "周二 17:00 前",
        lambda code: {"it": "IT" if locale == "en" else "信息系统部"}.get(code or "", ""),
    )


def say(type_: str, data: dict[str, Any], locale: str) -> str:
    return wording(locale).line(type_, data)


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
    assert wording("zh").next_step(state, "信息系统部").startswith("接下来：")
    assert wording("en").next_step(state, "").startswith("Next: ")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_code_is_never_the_reason_of_a_promise_that_moved(locale: str) -> None:
    said = wording(locale)
    assert said.reason("配件要等") == "配件要等"
    assert said.reason("calendar") not in (None, "calendar")
    assert said.reason("reason_of_tomorrow") is None


def test_every_sentence_has_its_translation_with_the_same_values() -> None:
    english = catalogue.load([LOCALES], "en")
    said: set[str] = set()
    for module in (lines, journey):
        for table in vars(module).values():
            values = table.values() if isinstance(table, dict) else [table]
            said |= {v for v in values if isinstance(v, str) and HAN.search(v)}
    said -= {v for v in said if v in (lines.__doc__, journey.__doc__)}
    assert len(said) > 60
    assert said <= set(english)
    for zh in said:
        assert sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", english[zh]))


CLAIMS = re.compile(
    r"已经看到|看到您|正在看|正在确定|开始复核|正在复核|正在为您|正在整理"
    r"|they know|have seen|is (?:reading|deciding|looking|finding|taking)|are (?:deciding|finding)"
)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_what_happens_by_itself_is_not_said_to_have_been_seen(locale: str) -> None:
    by_itself = ("feedback.urged", "case.opened", "case.reopened", "case.restored", "case.appealed")
    states = ("RECEIVED", "TRIAGE", "DISPATCHED", "APPEALED")
    wording = Wording(locale, lambda due: due, lambda code: code or "")
    said = [
        *(wording.line(one, {}) for one in (*by_itself, "case.returned", "case.recalled")),
        *(
            wording.line("case.resumed", {"reason": one})
            for one in ("supplied", "timeout", "until")
        ),
        *(journey.sentence({"state": one}, locale) for one in states),
        *(journey.sentence({"state": "TRIAGE", "back": one}, locale) for one in journey.BACK),
        *(journey.state_words({"state": one}, locale) for one in states),
    ]
    assert [one for one in said if CLAIMS.search(one)] == []
