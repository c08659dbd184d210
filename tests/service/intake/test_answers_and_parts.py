"""An answer belongs to the case that was asked about; parts are spoken for by the whole's code."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from services.intake import store
from services.intake.store import questions
from services.intake.store.tables import KEEP_QUESTIONS
from shared.contracts import PRIVATE
from shared.contracts.desk import (
    CaseAppealDismissed,
    CaseAppealed,
    CaseDispatched,
    CaseInfoRequested,
    CaseResumed,
    CaseSplit,
    CaseSplitOff,
)
from shared.contracts.rights import CaseStanding, Rights
from shared.contracts.vocabulary import CaseType, Priority, State
from tests.fakes.desk import FakeDesk
from tests.service.intake.conftest import Intake

WORDS = "男厕第二个水龙头关不上"


async def said(intake: Intake, words: str, msg_id: str, openid: str = "oUser", **more: Any) -> str:
    """What the follower reads at once."""
    sent = intake.wechat().text(openid, words, msg_id=msg_id, created=1772589600)
    answer = await intake.push(sent, **more)
    assert answer.status_code == 200
    return intake.wechat().read_reply(answer.text)["Content"]


async def asked(intake: Intake) -> FakeDesk:
    """A comment from WeChat, about which its reporter is asked something."""
    await said(intake, WORDS, "1")
    (row,) = await intake.rows("SELECT feedback_id FROM submissions")
    desk = FakeDesk(row["feedback_id"])
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一层？"))
    return desk


async def types(intake: Intake, feedback_id: str) -> list[str]:
    return [f["type"].removesuffix(".v1") for f in await intake.emitted(feedback_id)]


async def test_an_answer_in_wechat_reaches_the_case_that_was_asked_about(intake: Intake) -> None:
    desk = await asked(intake)
    words = await said(intake, "三层，电话 13987654321", "2")
    assert "交给办理的人" in words
    # What comes next goes with it: they read so, and how to say that it is something else.
    assert re.search(r"看进展：http\S+/track/\S+\n十分钟内在这里接着发的.*回复“新”", words)
    assert await intake.cases() == 1
    *_, private, public = await intake.emitted(desk.case.feedback_id)
    assert public["type"] == "feedback.supplemented.v1"
    assert "13987654321" not in public["body"]["text"]
    assert private["body"]["text"] == "三层，电话 13987654321"
    assert private["body"]["words_id"] == public["body"]["words_id"]


@pytest.mark.parametrize(
    "thanks",
    [
        *("好的", "谢谢", "收到", "OK", "嗯", "👍", "好的，谢谢老师！"),
        *("收到，稍后回复", "[怒]", "[疑问]"),
    ],
)
async def test_thanks_alone_are_kept_and_answer_no_question(intake: Intake, thanks: str) -> None:
    desk = await asked(intake)
    words = await said(intake, thanks, "2", nonce="n1")
    assert "问您的“哪一层？”，还等您回答" in words
    assert await said(intake, thanks, "2", nonce="n1") == words
    *_, added = await intake.emitted(desk.case.feedback_id)
    assert (added["body"]["text"], added["body"]["unasked"]) == (thanks, True)
    assert (await types(intake, desk.case.feedback_id)).count("feedback.supplemented") == 1
    assert await intake.cases() == 1
    assert "交给办理的人" in await said(intake, "三层", "3")
    *_, added = await intake.emitted(desk.case.feedback_id)
    assert (added["body"]["text"], added["body"]["unasked"]) == ("三层", False)


async def test_thanks_for_what_was_spoken_of_since_are_about_that(intake: Intake) -> None:
    desk = await asked(intake)
    intake.clock.later(hours=1)
    assert "查询码" in await said(intake, "新：二楼没有热水", "2")
    assert "二楼没有热水" in await said(intake, "谢谢", "3")
    assert (await types(intake, desk.case.feedback_id)).count("feedback.supplemented") == 0
    assert "交给办理的人" in await said(intake, "三层", "4")


async def test_of_a_confidential_case_the_question_is_not_repeated(intake: Intake) -> None:
    desk = await asked(intake)
    values: dict[str, Any] = {
        "department": "it",
        "category": "conduct",
        "case_type": CaseType.COMPLAINT,
        "priority": Priority.P2,
        "decided": "person",
        "confidential": True,
    }
    await intake.process(desk.event(CaseDispatched, intake.clock.now(), **values))
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一层？"))
    words = await said(intake, "好的", "2")
    assert "还等您回答" in words
    assert "哪一层" not in words
    assert WORDS[:4] not in words


async def test_a_copy_of_the_answer_is_answered_the_same_and_added_once(intake: Intake) -> None:
    desk = await asked(intake)
    first = await said(intake, "三层", "2", nonce="n1")
    await intake.process(desk.event(CaseResumed, intake.clock.now(), reason="supplied"))
    assert await said(intake, "三层", "2", nonce="n1") == first
    assert await said(intake, "三层", "2", nonce="n2") == first
    assert (await types(intake, desk.case.feedback_id)).count("feedback.supplemented") == 1
    assert await intake.cases() == 1


async def test_a_replayed_nonce_with_other_words_answers_nothing(intake: Intake) -> None:
    desk = await asked(intake)
    await said(intake, "三层", "2", nonce="n1")
    forged = intake.wechat().text("oUser", "别的话", msg_id="3", created=1772589600)
    assert (await intake.push(forged, nonce="n1")).status_code == 401
    assert (await types(intake, desk.case.feedback_id)).count("feedback.supplemented") == 1


async def test_what_nobody_asked_about_is_a_new_matter(intake: Intake) -> None:
    desk = await asked(intake)
    assert "查询码" in await said(intake, "占座", "2", openid="oOther")
    await said(intake, "三层", "3")
    intake.clock.later(minutes=10)
    assert "查询码" in await said(intake, "还有，空调太冷", "4")
    assert await intake.cases() == 3
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一间？"))
    await intake.process(desk.event(CaseResumed, intake.clock.now(), reason="staff"))
    intake.clock.later(minutes=10)
    assert "查询码" in await said(intake, "占座", "5")


async def test_the_later_of_two_questions_is_answered_first(intake: Intake) -> None:
    first = await asked(intake)
    await said(intake, "占座", "2", openid="oUser2")
    await said(intake, "三层", "3")
    await intake.process(first.event(CaseInfoRequested, intake.clock.now(), question="哪一间？"))
    await said(intake, "B 间", "4")
    assert (await types(intake, first.case.feedback_id)).count("feedback.supplemented") == 2


async def test_questions_are_forgotten_with_the_person_and_in_time(intake: Intake) -> None:
    desk = await asked(intake)
    await said(intake, "三层", "2")
    intake.clock.later(seconds=(KEEP_QUESTIONS + timedelta(seconds=1)).total_seconds())
    async with intake.service.transaction() as tx:
        await questions.forget_questions(tx)
        assert not await questions.any_questions(tx)
    await intake.process(desk.event(CaseInfoRequested, intake.clock.now(), question="哪一间？"))
    async with intake.service.transaction() as tx:
        await store.erase(tx, desk.case.feedback_id)
    assert await intake.rows("SELECT * FROM questions") == []


@pytest.fixture
async def whole(intake: Intake) -> dict[str, str]:
    """A comment about two matters, split; the part waits for an answer."""
    said = (await intake.say("插座没电，还有占座", contact={"email": "l@example.edu"})).json()
    desk, now = FakeDesk(said["feedback_id"]), intake.clock.now()
    ended = Rights(supplement=False, urge=False, withdraw=False, standing=CaseStanding.SPLIT)
    await intake.process(desk.event(CaseSplit, now, children=("part",), rights=ended))
    await intake.process(
        FakeDesk("part").event(
            CaseSplitOff,
            now,
            parent=said["feedback_id"],
            received_at=now,
            channel="web",
            text="插座没电",
            code_hash="h",
        )
    )
    return said


async def test_a_part_has_the_contact_of_the_whole(intake: Intake, whole: dict[str, str]) -> None:
    [private] = [f for f in await intake.emitted("part") if f["topic"] == PRIVATE]
    assert private["body"]["contact"] == {"email": "l@example.edu"}
    assert private["body"]["text"] == "插座没电"
    assert private["body"]["tracking_code"] == whole["tracking_code"]


async def test_who_is_to_be_erased_is_named_by_the_whole_a_part_or_the_code(
    intake: Intake, whole: dict[str, str]
) -> None:
    other = (await intake.say("占座")).json()
    code = whole["tracking_code"]
    async with intake.service.transaction() as tx:
        for named in (whole["feedback_id"], "part", code, code.lower().replace("-", " ")):
            assert await store.whose(tx, named) == whole["feedback_id"], named
        assert await store.whose(tx, other["feedback_id"]) == other["feedback_id"]
        for named in ("nobody", code[:-1], ""):
            assert await store.whose(tx, named) is None, named


async def test_the_code_of_the_whole_speaks_for_its_parts_alone(
    intake: Intake, whole: dict[str, str]
) -> None:
    code = whole["tracking_code"]
    assert (await intake.later(code, "supplement", text="三层东区")).status_code == 409
    assert (await intake.later(code, "supplement", text="三层东区", part="part")).status_code == 200
    assert "feedback.supplemented" in await types(intake, "part")
    for action in ("urge", "withdraw"):
        refused = await intake.later(code, action)
        assert (refused.status_code, "其中一件" in refused.json()["detail"]) == (409, True)
        assert (await intake.later(code, action, part="part")).status_code == 200
    other = (await intake.say("占座")).json()
    assert (
        await intake.later(other["tracking_code"], "supplement", text="x", part="part")
    ).status_code == 404
    assert (
        await intake.later(code, "supplement", text="x", part=other["feedback_id"])
    ).status_code == 404


async def test_erasing_the_whole_erases_its_parts(intake: Intake, whole: dict[str, str]) -> None:
    await intake.later(whole["tracking_code"], "supplement", text="三层", part="part")
    async with intake.service.transaction() as tx:
        await store.erase(tx, whole["feedback_id"])
    private = [f for f in await intake.emitted("part") if f["topic"] == PRIVATE]
    # One for the details, one for what was said later; nothing else is left of them.
    assert {f["type"] for f in private} == {"private.erased.v1"}
    assert len({f["key"] for f in private}) == 2


async def test_an_appeal_is_asked_for_once_and_answered(intake: Intake) -> None:
    said = (await intake.say("占座")).json()
    desk, code = FakeDesk(said["feedback_id"]), said["tracking_code"]
    assert (await intake.later(code, "appeal", reason="不服")).status_code == 409
    may = Rights(supplement=True, urge=False, withdraw=False, appeal=True)
    now = intake.clock.now()
    await intake.process(desk.event(CaseResumed, now, state=State.REJECTED, reason="x", rights=may))
    assert (await intake.later(code, "appeal")).status_code == 422
    assert (await intake.later(code, "appeal", reason="不服 13987654321")).status_code == 200
    assert (await intake.later(code, "appeal", reason="不服")).status_code == 409
    *_, appealed = await intake.emitted(said["feedback_id"])
    assert appealed["type"] == "feedback.appealed.v1"
    assert "13987654321" not in appealed["body"]["reason"]
    await intake.process(
        desk.event(CaseAppealed, now, previous=State.REJECTED, reason="不服", rights=may),
        desk.event(CaseAppealDismissed, now, reason="维持", rights=may),
    )
    assert (await intake.later(code, "appeal", reason="还是不服")).status_code == 200


async def test_staff_enter_what_came_by_any_way(intake: Intake) -> None:
    for channel in ("class_group", "survey", "meeting", "proposal", "staff"):
        answer = await intake.client.post(
            "/api/desk/feedback",
            json={"text": "占座", "channel": channel},
            headers=intake.staff("clerk"),
        )
        assert answer.status_code == 201
        (received, _) = await intake.emitted(answer.json()["feedback_id"])
        assert received["body"]["channel"] == channel
