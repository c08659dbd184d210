"""Words that WeChat did not take wait until their reader writes there again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.intake import store
from services.intake.handlers.recollect import OWN
from services.intake.store.tables import KEEP_UNREACHED
from shared.contracts import Event
from shared.contracts.desk import CaseInfoRequested
from shared.contracts.intake import FeedbackReachableAgain
from shared.contracts.notification import NotificationFailed, NotificationSent
from tests.fakes.desk import FakeDesk
from tests.service.intake.conftest import Intake


async def say(intake: Intake, words: str, number: str, openid: str = "oUser") -> str:
    """What the follower reads at once."""
    message = intake.wechat().text(openid, words, msg_id=number, created=1772589600)
    answer = await intake.push(message)
    assert answer.status_code == 200
    return str(intake.wechat().read_reply(answer.text)["Content"])


async def a_case(intake: Intake, number: str = "1") -> str:
    """A comment of `oUser`; more than ten minutes later."""
    await say(intake, "男厕第二个水龙头关不上", number)
    rows = await intake.rows("SELECT feedback_id FROM submissions ORDER BY feedback_id")
    intake.clock.later(hours=50)
    return str(rows[-1]["feedback_id"])


def delivery(
    intake: Intake, feedback_id: str, event: type[Event] = NotificationFailed, **more: Any
) -> Any:
    values: dict[str, Any] = {"kind": "reply", "channel": "wechat", "audience": "reporter"}
    if event is NotificationFailed:
        values["reason"] = "wechat_window_over"
    at = intake.clock.now()
    return event(feedback_id=feedback_id, at=at, delivery_id="d1", **(values | more))


async def reachable(intake: Intake) -> list[str]:
    found = await intake.emitted()
    return [e["body"]["feedback_id"] for e in found if e["type"] == "feedback.reachable_again.v1"]


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("reason", ["wechat_window_over", "wechat_quota_used"])
async def test_when_they_write_again_it_is_told_once(
    intake: Intake, reason: str, safe: bool
) -> None:
    case = await a_case(intake)
    await intake.process(delivery(intake, case, reason=reason))
    assert await reachable(intake) == []
    message = intake.wechat().text("oUser", "另外，占座", msg_id="2", created=1772589600)
    copies = await asyncio.gather(*(intake.push(message, safe=safe) for _ in range(3)))
    assert {c.status_code for c in copies} == {200}
    assert await reachable(intake) == [case]
    await say(intake, "还有", "3")
    assert await reachable(intake) == [case]


async def test_a_picture_and_what_they_choose_open_the_chat_too(intake: Intake) -> None:
    case, sender = await a_case(intake), intake.wechat()
    expected: list[str] = []
    for pushed in (
        sender.xml("oUser", MsgType="image", PicUrl="p", MediaId="m", MsgId="7"),
        sender.event("oUser", "CLICK", key="menu"),
        sender.event("oUser", "subscribe"),
    ):
        await intake.process(delivery(intake, case))
        await intake.push(sender.event("oUser", "unsubscribe"))
        assert await reachable(intake) == expected
        await intake.push(pushed)
        expected.append(case)
        assert await reachable(intake) == expected


async def test_somebody_else_and_another_account_open_nothing(intake: Intake) -> None:
    case = await a_case(intake)
    await intake.process(delivery(intake, case))
    await say(intake, "占座", "2", openid="oOther")
    message = intake.wechat("branch").text("oUser", "占座", msg_id="3")
    await intake.push(message, "branch")
    assert await reachable(intake) == []


@pytest.mark.parametrize(
    "more",
    [
        {"reason": "wechat_refused"},
        {"kind": "receipt"},
        {"kind": "delay"},
        {"uncertain": True},
        {"audience": "staff", "staff": "coordinator"},
    ],
)
async def test_what_no_word_of_theirs_helps_waits_for_a_person(
    intake: Intake, more: dict[str, Any]
) -> None:
    case = await a_case(intake)
    await intake.process(delivery(intake, case, **more))
    await say(intake, "占座", "2")
    assert await reachable(intake) == []


async def test_what_reached_them_another_way_waits_no_more(intake: Intake) -> None:
    case = await a_case(intake)
    await intake.process(
        delivery(intake, case), delivery(intake, case, NotificationSent, channel="email")
    )
    await say(intake, "占座", "2")
    assert await reachable(intake) == []


async def test_all_cases_of_theirs_that_wait_are_told(intake: Intake) -> None:
    one, other = await a_case(intake), await a_case(intake, "2")
    await intake.process(delivery(intake, one), delivery(intake, other))
    await say(intake, "占座", "3")
    assert sorted(await reachable(intake)) == sorted([one, other])


async def test_a_question_they_have_not_read_is_answered_by_nothing_they_say(
    intake: Intake,
) -> None:
    case = await a_case(intake)
    desk = FakeDesk(case)
    await intake.process(
        desk.event(CaseInfoRequested, intake.clock.now(), question="哪一层？"),
        delivery(intake, case, kind="question"),
    )
    assert "查询码" in await say(intake, "占座", "2")
    assert await reachable(intake) == [case]
    await intake.process(delivery(intake, case, NotificationSent, kind="question"))
    assert "交给办理的人" in await say(intake, "三层", "3")


async def test_nor_by_what_they_add_to_the_case_meanwhile(intake: Intake) -> None:
    await say(intake, "男厕第二个水龙头关不上", "1")
    rows = await intake.rows("SELECT feedback_id FROM submissions")
    case, desk = str(rows[0]["feedback_id"]), FakeDesk(str(rows[0]["feedback_id"]))
    await intake.process(
        desk.event(CaseInfoRequested, intake.clock.now(), question="哪一层？"),
        delivery(intake, case, kind="question"),
    )
    assert "放在您的这一件里" in await say(intake, "怎么还没人理我", "2")
    await intake.process(delivery(intake, case, NotificationSent, kind="question"))
    assert "交给办理的人" in await say(intake, "三层", "3")
    added = [e for e in await intake.emitted(case) if "supplemented" in e["type"]]
    assert [e["body"]["unasked"] for e in added] == [True, False]


async def test_it_is_forgotten_with_the_person_and_in_time(intake: Intake) -> None:
    case = await a_case(intake)
    await intake.process(delivery(intake, case))
    intake.clock.later(seconds=KEEP_UNREACHED.total_seconds() + 1)
    async with intake.service.transaction() as tx:
        await store.forget_old(tx)
    assert await intake.rows("SELECT * FROM unreached") == []
    await intake.process(delivery(intake, case))
    async with intake.service.transaction() as tx:
        await store.erase(tx, case)
    assert await intake.rows("SELECT * FROM unreached") == []
    await intake.process(delivery(intake, case))
    assert await intake.rows("SELECT * FROM unreached") == []


async def test_a_lost_database_learns_from_the_log_that_they_wrote(intake: Intake) -> None:
    case = await a_case(intake)
    await intake.process(delivery(intake, case))
    await say(intake, "占座", "2")
    found = [e for e in await intake.emitted(case) if e["type"].startswith("feedback.reachable")]
    assert len(found) == 1
    await intake.process(delivery(intake, case))
    event = FeedbackReachableAgain.model_validate(found[0]["body"])
    async with intake.service.transaction() as tx:
        await tx.lock(case)
        await OWN[FeedbackReachableAgain](event, tx)
    assert await intake.rows("SELECT * FROM unreached") == []
