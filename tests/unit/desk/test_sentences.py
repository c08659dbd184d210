from __future__ import annotations

import re

import pytest

from services.desk.domain.sentences import SENTENCES, actor_name, kept_of, sentence
from shared.contracts import EVENTS, REGISTER, REPORTER, SYSTEM, Actor, short_type
from shared.contracts.desk import CaseReturned
from shared.contracts.vocabulary import DEPARTMENTS, Clock
from tests.service.desk import facts

KINDS = sorted(short_type(c.type) for c in REGISTER.values() if c.topic == EVENTS)


def name_of(code: str | None) -> str:
    return DEPARTMENTS.get(code or "", ("某部门", ""))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fact_is_said_in_both_languages(kind: str) -> None:
    zh, en = (sentence(kind, {}, lambda code: "X", locale) for locale in ("zh", "en"))
    assert re.search("[\u4e00-\u9fff]", zh)
    assert not re.search("[\u4e00-\u9fff]", en)
    assert kind not in (zh, en)


@pytest.mark.parametrize("kind", sorted(SENTENCES))
def test_what_a_sentence_needs_is_a_field_of_its_fact(kind: str) -> None:
    classes = [c for c in REGISTER.values() if short_type(c.type) == kind]
    assert classes
    assert set(SENTENCES[kind][0]) <= set(classes[0].model_fields)


def test_a_timeline_keeps_no_more_than_its_sentence_needs() -> None:
    event = facts.received(place="三层", text="很长的话")
    assert kept_of(event) == {"channel": "web", "place": "三层"}
    assert sentence("feedback.received", kept_of(event), name_of) == "通过网页收到（三层）"


def test_a_return_says_who_why_and_where_to() -> None:
    event = CaseReturned(
        feedback_id="f", at=facts.RECEIVED, department="space", reason="是空调", suggest="it"
    )
    said = sentence("case.returned", kept_of(event), name_of)
    assert said == "空间与读者服务部退单：是空调（建议转信息系统部）"


def test_a_fact_from_tomorrow_is_shown_by_its_type() -> None:
    assert sentence("case.teleported", {}, name_of) == "case.teleported"


def test_staff_have_names_and_reporters_do_not() -> None:
    assert actor_name(Actor(kind="staff", name="wang", display="王老师")) == "王老师"
    assert actor_name(Actor(kind="reporter", name="never")) == "读者"
    assert (actor_name(REPORTER, "en"), actor_name(SYSTEM, "en")) == ("Reporter", "System")


def test_a_promise_names_its_deadline() -> None:
    promised = facts.promised("f", Clock.RESOLUTION, "2026-03-11 10:00")
    said = sentence("sla.promised", kept_of(promised), name_of)
    assert said == "“办结”开始计时，期限 03-11 10:00"
