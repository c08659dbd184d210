"""What staff write enters the log masked; who may read it reads it as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.desk.app import own_addresses
from shared.contracts import EVENTS, PRIVATE
from shared.contracts.intake import PrivateErased
from shared.settings import Settings
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import outbox_of

CONTACT = {"name": "王小明", "phone": "5550123", "email": "w@example.edu"}
WORDS = "王小明同学您好，我们打 13800001234 和 5550123 没人接，邮件 w@example.edu 也退回了。"
PERSONAL = ("王小明", "13800001234", "5550123", "w@example.edu")
STEPS: dict[str, tuple[tuple[str, str | None], dict[str, Any]]] = {
    "reply": (("handler", "space"), {"text": WORDS, "outcome": "solved"}),
    "ask": (("handler", "space"), {"question": WORDS}),
    "note": (("handler", "space"), {"text": WORDS}),
    "return": (("liaison", "space"), {"reason": WORDS}),
    "reject": (("coordinator", None), {"reason": WORDS}),
    "reopen": (("coordinator", None), {"reason": WORDS}),
}
PUBLIC = {"reply": "text", "ask": "question", "reject": "reason"}


async def ready_for(desk: Desk, action: str) -> str:
    match action:
        case "reject":
            feedback_id = await desk.case()
        case "return":
            feedback_id = await desk.case()
            await desk.process(examples.routed(feedback_id))
        case "reopen":
            feedback_id = await desk.replied()
        case _:
            feedback_id = await desk.in_progress()
    await desk.process(examples.private(feedback_id, text="占座", contact=CONTACT))
    return feedback_id


def personal(text: str) -> list[str]:
    return [value for value in PERSONAL if value in text]


@pytest.mark.parametrize("action", STEPS)
async def test_no_word_of_staff_carries_personal_data_into_the_log(desk: Desk, action: str) -> None:
    feedback_id = await ready_for(desk, action)
    who, body = STEPS[action]
    case = await desk.do(desk.as_(*who), feedback_id, action, **body)

    emitted = await desk.told()
    events = [e for e in emitted if e["topic"] == EVENTS]
    assert personal(json.dumps(events, ensure_ascii=False)) == []
    private = [e["body"] for e in emitted if e["topic"] == PRIVATE]
    if field := PUBLIC.get(action):
        assert [p["text"] for p in private] == [WORDS]
        assert private[0]["words_id"] == events[-1]["body"]["words_id"]
        assert "〔电话〕" in events[-1]["body"][field]
        # Who reads the event finds the words there already.
        assert emitted[-2]["topic"] == PRIVATE
    else:
        assert private == []
    if action in ("reply", "ask", "note"):
        written = [line["text"] for line in (*case["conversation"], *case["notes"])]
        assert WORDS in written
        auditor = (await desk.as_("auditor").get(f"/api/cases/{feedback_id}")).json()
        assert personal(json.dumps(auditor, ensure_ascii=False)) == []


async def test_a_reply_names_the_librarys_own_telephone_and_address(desk: Desk) -> None:
    desk.service.deps.own_addresses = frozenset({"lib.example.edu"})
    feedback_id = await ready_for(desk, "reply")
    told_to_call = "请拨打总服务台电话 010-62751051 转 8012，或写信到 desk@lib.example.edu。"
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "reply", text=told_to_call, outcome="solved")
    reply = (await desk.told(feedback_id))[-1]
    assert reply["body"]["text"] == told_to_call
    assert "words_id" not in reply["body"]


async def test_where_to_go_instead_names_the_address_of_another_office(desk: Desk) -> None:
    feedback_id = await ready_for(desk, "reject")
    office, instead = desk.as_("coordinator"), "宿舍中心 Dorm@other.example.com，不是 w@example.edu"
    await desk.do(office, feedback_id, "reject", reason=f"写信到 {instead}", instead=instead)
    told = (await desk.told(feedback_id))[-1]["body"]
    assert told["instead"] == "宿舍中心 Dorm@other.example.com，不是 〔邮箱〕"
    assert "@" not in told["reason"]


def test_the_librarys_addresses_are_those_of_the_site_and_of_its_mail() -> None:
    settings = Settings(
        base_url="https://Feedback.Lib.Example.edu/x",
        mail_from="Feedback@lib.example.edu",
        mail_reply_to="lib-example@mail.example.com",
    )
    assert own_addresses(settings) == {
        "feedback.lib.example.edu",
        "lib.example.edu",
        "feedback@lib.example.edu",
        "lib-example@mail.example.com",
    }


async def test_words_without_personal_data_travel_in_the_event_alone(desk: Desk) -> None:
    feedback_id = await desk.replied()
    emitted = await outbox_of(desk.service, feedback_id)
    assert emitted[-1]["body"]["text"] == "已清理"
    assert "words_id" not in emitted[-1]["body"]
    assert all(e["topic"] == EVENTS for e in emitted)


async def test_an_erasure_takes_the_words_of_staff_too_and_nothing_brings_them_back(
    desk: Desk,
) -> None:
    feedback_id = await ready_for(desk, "reply")
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "note", text=WORDS)
    await desk.do(handler, feedback_id, "reply", text=WORDS, outcome="solved")
    key = next(e for e in await outbox_of(desk.service) if e["topic"] == PRIVATE)["key"]

    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))

    private = [e for e in await outbox_of(desk.service) if e["topic"] == PRIVATE]
    assert [(e["type"], e["body"] is None) for e in private] == [
        ("private.reply_words_erased.v1", True),
        ("private.erased_by_desk.v1", False),
    ]
    assert private[0]["key"] == key
    assert personal(json.dumps(await outbox_of(desk.service), ensure_ascii=False)) == []
    office = desk.as_("coordinator")
    case = (await office.get(f"/api/cases/{feedback_id}")).json()
    assert personal(json.dumps(case, ensure_ascii=False)) == []
    await desk.do(office, feedback_id, "reopen", reason="x")
    await desk.do(office, feedback_id, "note", text="13800001234")
    case = (await office.get(f"/api/cases/{feedback_id}")).json()
    assert case["notes"][-1]["text"] == "〔电话〕"
