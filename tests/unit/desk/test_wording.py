from __future__ import annotations

import re

import pytest

from services.desk.domain.lines import FIELDS, kept_of
from services.desk.seeds import DEPARTMENTS
from services.desk.wording import SENTENCES, actor_name, sentence
from shared.contracts import EVENTS, REGISTER, REPORTER, SYSTEM, Actor, short_type
from shared.contracts.desk import CaseReturned
from shared.contracts.vocabulary import Clock
from tests.fakes.promises import Promises
from tests.service.desk import examples
from tests.support import at

KINDS = sorted(short_type(c.type) for c in REGISTER.values() if c.topic == EVENTS)


def name_of(code: str | None) -> str:
    return DEPARTMENTS.get(code or "", ("某部门", ""))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_is_said_in_both_languages(kind: str) -> None:
    zh, en = (sentence(kind, {}, lambda code: "X", locale) for locale in ("zh", "en"))
    assert re.search("[\u4e00-\u9fff]", zh)
    assert not re.search("[\u4e00-\u9fff]", en)
    assert kind in SENTENCES


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_what_a_sentence_needs_is_a_field_of_its_event(kind: str) -> None:
    classes = [c for c in REGISTER.values() if short_type(c.type) == kind]
    assert classes
    assert FIELDS[kind] <= set(classes[0].model_fields)


def test_a_timeline_keeps_no_more_than_its_sentence_needs() -> None:
    event = examples.received(place="三层", text="很长的话")
    assert kept_of(event) == {"channel": "web", "place": "三层"}
    assert sentence("feedback.received", kept_of(event), name_of) == "通过网页收到（三层）"


def test_a_return_says_who_why_and_where_to() -> None:
    event = CaseReturned(
        feedback_id="f", at=examples.RECEIVED, department="space", reason="是空调", suggest="it"
    )
    said = sentence("case.returned", kept_of(event), name_of)
    assert said == "空间与读者服务部退单：是空调（建议转信息系统部）"


def test_an_event_from_tomorrow_is_a_general_line() -> None:
    assert sentence("case.teleported", {}, name_of) == "有新的记录"
    assert sentence("case.teleported", {}, name_of, "en") == "Something was recorded"


def test_staff_have_names_and_reporters_do_not() -> None:
    assert actor_name(Actor(kind="staff", name="wang", display="王老师")) == "王老师"
    assert actor_name(Actor(kind="reporter", name="never")) == "读者"
    assert (actor_name(REPORTER, "en"), actor_name(SYSTEM, "en")) == ("Reporter", "System")


def test_what_one_moment_did_to_the_clocks_is_one_line() -> None:
    clocks, due = Promises("f"), at("2026-03-11 10:00")
    met = clocks.change("met", Clock.TRIAGE, due, at=due)
    accept = clocks.change("promised", Clock.ACCEPT, due, at=due)
    moved = clocks.change("moved", Clock.RESOLUTION, due, at=due)
    event = met.model_copy(update={"changes": met.changes + accept.changes + moved.changes})
    kept = kept_of(event)
    assert kept is not None
    said = sentence("sla.promises_changed", kept, name_of)
    assert said == "“派单”按时完成；“签收”期限 03-11 10:00；“办结”的期限改为 03-11 10:00"
    said = sentence("sla.promises_changed", kept, name_of, "en")
    assert "due 11 Mar 10:00; the deadline of" in said
    assert said.endswith("moved to 11 Mar 10:00")


def test_the_follow_up_and_what_ends_with_the_case_are_no_lines() -> None:
    clocks, due = Promises("f"), at("2026-03-11 10:00")
    assert kept_of(clocks.change("promised", Clock.FOLLOW_UP, due, at=due)) is None
    assert kept_of(clocks.change("cancelled", Clock.RESOLUTION, due, at=due)) is None


def test_what_is_missing_takes_its_part_of_the_sentence_with_it() -> None:
    full = {"until": "2026-03-11T02:00:00+00:00", "reason": "等数据库商"}
    assert sentence("case.extension_granted", full, name_of) == "同意延期到 03-11 10:00：等数据库商"
    said = sentence("case.extension_asked", full, name_of, "en")
    assert said.startswith("Asked for more time, until 11 Mar 10:00")
    assert sentence("case.supervised", {}, name_of) == "督办"
    assert sentence("case.supervised", {"text": "今天"}, name_of) == "督办：今天"


def test_braces_and_brackets_that_people_typed_are_their_words() -> None:
    data = {"reason": "{where} [x] {0} %s", "department": "it"}
    assert sentence("case.recalled", data, name_of) == "用户关系办公室收回：{where} [x] {0} %s"


def test_a_breach_is_explained_with_its_code_and_words() -> None:
    data = {"clock": "RESOLUTION", "code": "overload", "text": "开学"}
    said = sentence("case.breach_explained", data, name_of)
    assert said == "说明“办结”超期的原因（人手不足）：开学"


def test_a_correction_names_what_was_corrected() -> None:
    data = {"changed": ["priority", "tomorrow"], "reason": "很多人"}
    assert sentence("case.corrected", data, name_of) == "更正了轻重缓急：很多人"
    assert sentence("case.corrected", data, name_of, "en") == "Corrected: priority (很多人)"


@pytest.mark.parametrize("kind", ["case.personal_data_read", "sla.segment_ended"])
def test_what_only_auditors_and_reports_need_is_no_line(kind: str) -> None:
    event = next(c for c in REGISTER.values() if short_type(c.type) == kind)
    assert kept_of(event.model_construct(feedback_id="f")) is None
