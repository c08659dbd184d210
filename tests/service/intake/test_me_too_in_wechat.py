"""In WeChat there is nothing to click on: the receipt offers what many report, a number joins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.intake.wording import offered
from shared.contracts.desk import CaseInfoRequested, IncidentListed
from shared.contracts.vocabulary import State
from tests.service.intake.conftest import Intake
from tests.service.intake.test_me_too import COLD, opened

TITLE = "三层空调停机"


async def say(intake: Intake, words: str, number: str, *, safe: bool = False) -> str:
    """What the follower reads at once."""
    message = intake.wechat().text("oUser", words, msg_id=number, created=1772589600)
    answer = await intake.push(message, safe=safe)
    assert answer.status_code == 200
    return str(intake.wechat(safe=safe).read_reply(answer.text)["Content"])


async def joined(intake: Intake) -> list[Any]:
    """(case, incident) of what was said."""
    return [
        (event["body"]["feedback_id"], event["body"]["incident"])
        for event in await intake.emitted()
        if event["type"] == "feedback.incident_named.v1"
    ]


async def the_case(intake: Intake) -> str:
    (row,) = await intake.rows("SELECT feedback_id FROM submissions")
    return str(row["feedback_id"])


@pytest.fixture
def incident(intake: Intake) -> str:
    return opened(intake, TITLE, "空调机组故障，正在抢修。")


@pytest.mark.parametrize("safe", [False, True])
async def test_a_number_after_the_receipt_joins_that_case(
    intake: Intake, incident: str, safe: bool
) -> None:
    receipt = await say(intake, COLD, "1", safe=safe)
    assert "查询码" in receipt
    assert f"1 {TITLE}" in receipt
    assert len(receipt.encode()) <= 2048
    assert await joined(intake) == []  # whoever does not care has a case like any other
    said = await say(intake, "１。", "2", safe=safe)
    assert TITLE in said
    assert "/track/" in said
    assert await joined(intake) == [(await the_case(intake), incident)]


async def test_copies_of_either_message_change_nothing(intake: Intake, incident: str) -> None:
    first = {await say(intake, COLD, "1"), await say(intake, COLD, "1")}
    copies = await asyncio.gather(*(say(intake, "1", "2") for _ in range(3)))
    again = await say(intake, "1", "3")
    assert len(first) == 1
    assert {*copies, again} == {again}
    # An old copy of the comment offers it no second time.
    assert await say(intake, COLD, "1") in first
    assert await say(intake, "1", "4") == again
    assert await joined(intake) == [(await the_case(intake), incident)]


async def test_without_such_an_offer_a_number_says_nothing_yet(
    intake: Intake, incident: str
) -> None:
    assert "没有记成反馈" in await say(intake, "1", "1")
    await say(intake, COLD, "2")
    intake.clock.later(minutes=10)
    assert "没有记成反馈" in await say(intake, "2", "3")  # only one was offered
    intake.clock.later(hours=2, seconds=1)
    assert "没有记成反馈" in await say(intake, "1", "4")
    assert await intake.cases() == 1
    assert await joined(intake) == []


async def test_among_several_the_number_decides(intake: Intake, incident: str) -> None:
    other = opened(intake, "三层阅览室空调漏水", "维修已经报了。")
    receipt = await say(intake, COLD, "1")
    numbers = {line[2:]: line[0] for line in receipt.splitlines() if line[1:2] == " "}
    assert set(numbers) == {TITLE, "三层阅览室空调漏水"}
    await say(intake, numbers["三层阅览室空调漏水"], "2")
    assert [one for _, one in await joined(intake)] == [other]


async def test_what_was_closed_in_between_is_said_and_the_comment_stands_for_itself(
    intake: Intake, incident: str
) -> None:
    await say(intake, COLD, "1")
    (one,) = intake.service.deps.open_incidents
    closed = IncidentListed(**one.model_dump(exclude={"open"}), open=False)
    intake.service.runtime.directory.apply(closed)
    assert "刚刚办结" in await say(intake, "1", "2")
    assert "刚刚办结" in await say(intake, "1", "3")
    assert await joined(intake) == []
    assert await intake.cases() == 1


async def test_a_question_that_was_asked_since_is_what_the_number_answers(
    intake: Intake, incident: str
) -> None:
    await say(intake, COLD, "1")
    intake.clock.later(minutes=1)
    asked = CaseInfoRequested(
        feedback_id=await the_case(intake),
        at=intake.clock.now(),
        state=State.WAITING_USER,
        rights={"supplement": True},
        department="facilities",
        question="在几层？",
    )
    await intake.process(asked)
    assert "您的回答" in await say(intake, "1", "2")
    assert "您的回答" in await say(intake, "1", "2")
    assert await joined(intake) == []


async def test_whoever_is_not_answered_is_offered_nothing(intake: Intake, incident: str) -> None:
    for number in range(20):
        await say(intake, f"第{number}次来说：东门的灯坏了", str(number))
    message = intake.wechat().text("oUser", COLD, msg_id="50")
    assert (await intake.push(message)).text == "success"
    assert await intake.rows("SELECT 1 FROM offers") == []


async def test_erasing_a_person_forgets_what_they_were_offered(
    intake: Intake, incident: str
) -> None:
    from services.intake import store

    await say(intake, COLD, "1")
    async with intake.service.transaction() as tx:
        await store.erase(tx, await the_case(intake))
    assert await intake.rows("SELECT 1 FROM offers") == []


def test_long_titles_of_the_library_leave_the_answer_short_enough() -> None:
    for locale in ("zh", "en"):
        words = offered(locale, ["很长的标题\n" * 60] * 3)
        assert len(words.encode()) < 1200
        assert words.count("…") == 3
