"""One code leads to all that its reporter has with us, once the mailbox proves to be theirs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.security import LINK_TO_MATTERS, MATTERS, MATTERS_COOKIE
from tests.service.intake.conftest import Intake

HTML = {"Accept": "text/html"}
MINE = "Wang.Xiao@pku.example"


async def say(intake: Intake, email: str | None = MINE, **more: Any) -> dict[str, str]:
    answer = await intake.say(contact={"email": email}, **more)
    return dict(answer.json())


async def asked(intake: Intake) -> list[dict[str, Any]]:
    found = await intake.emitted()
    return [e["body"] for e in found if e["type"] == "feedback.matters_asked.v1"]


def link(intake: Intake, event: dict[str, Any]) -> str:
    """What stands at the end of the link in the letter."""
    from shared.contracts.intake import FeedbackMattersAsked

    known = FeedbackMattersAsked.model_validate(event)
    signer = intake.service.runtime.signer
    return signer.signed(LINK_TO_MATTERS, known.request_id, until=known.until)


async def open_(intake: Intake, token: Any, **more: Any) -> Any:
    return await intake.client.post("/api/track/mine", json={"token": token}, **more)


async def test_whoever_opens_the_letter_sees_all_that_is_theirs_once(intake: Intake) -> None:
    first = await say(intake)
    intake.clock.later(minutes=1)
    second = await say(intake, MINE.lower(), title="二")
    await say(intake, "other@pku.example")
    await say(intake, None)
    await say(intake, MINE, anonymous=True)
    answer = await intake.later(first["tracking_code"], "matters")
    assert answer.status_code == 200
    (event,) = await asked(intake)
    assert event["feedback_id"] == first["feedback_id"]
    token = link(intake, event)
    opened = await open_(intake, token)
    assert [(i["tracking_code"], i["title"]) for i in opened.json()["items"]] == [
        (second["tracking_code"], "二"),
        (first["tracking_code"], "三层东区217一上午都是一个水杯占着"),
    ]
    assert (await open_(intake, token)).status_code == 404


async def test_a_browser_gets_a_cookie_for_a_while(intake: Intake) -> None:
    first = await say(intake)
    code = first["tracking_code"]
    sent = await intake.client.post(f"/api/track/{code}/matters", headers=HTML, data={})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(f"/track/{code}?done=matters&at=")
    token = link(intake, (await asked(intake))[0])
    form = {"token": token}
    opened = await intake.client.post("/api/track/mine", data=form, headers=HTML)
    assert (opened.status_code, opened.headers["location"]) == (303, "/track/mine")
    assert "HttpOnly" in opened.headers["set-cookie"]
    signer, now = intake.service.runtime.signer, intake.clock.now()
    cookie = opened.cookies[MATTERS_COOKIE]
    assert signer.read_signed(MATTERS, cookie, now) == [code]
    intake.clock.later(minutes=31)
    assert signer.read_signed(MATTERS, cookie, intake.clock.now()) is None
    again = await intake.client.post("/api/track/mine", data=form, headers=HTML)
    assert again.status_code == 404
    assert "再要一个" in again.text


async def test_the_answer_is_the_same_whatever_there_is(intake: Intake) -> None:
    answers = []
    for email, more in ((MINE, {}), (None, {}), (MINE, {"anonymous": True})):
        receipt = await say(intake, email, **more)
        answer = await intake.later(receipt["tracking_code"], "matters")
        answers.append((answer.status_code, answer.json() | {"feedback_id": ""}))
    assert answers[0] == answers[1] == answers[2]
    assert len(await asked(intake)) == 1
    assert (await intake.later(intake.strange_code(), "matters")).status_code == 404


async def test_a_mailbox_gets_three_letters_a_day_and_one_in_ten_minutes(intake: Intake) -> None:
    codes = [(await say(intake))["tracking_code"] for _ in range(2)]
    for _ in range(3):
        assert (await intake.later(codes[0], "matters")).status_code == 200
    assert len(await asked(intake)) == 1
    for number in range(4):
        intake.clock.later(minutes=11)
        answer = await intake.later(codes[number % 2], "matters")
        assert answer.status_code == 200
    assert len(await asked(intake)) == 3
    intake.clock.later(days=1)
    await intake.later(codes[0], "matters")
    assert len(await asked(intake)) == 4


@pytest.mark.parametrize("token", ["", "x", None, 7, ["x"]])
async def test_what_is_no_link_of_ours_opens_nothing(intake: Intake, token: Any) -> None:
    assert (await open_(intake, token)).status_code == 404


async def test_a_link_is_good_for_two_hours_and_for_nothing_else(intake: Intake) -> None:
    first = await say(intake)
    await intake.later(first["tracking_code"], "matters")
    event = (await asked(intake))[0]
    signer, until = intake.service.runtime.signer, intake.clock.now() + timedelta(hours=1)
    other = signer.signed(MATTERS, event["request_id"], until=until)
    assert (await open_(intake, other)).status_code == 404
    token = link(intake, event)
    intake.clock.later(hours=2, seconds=1)
    assert (await open_(intake, token)).status_code == 404


async def test_of_who_is_forgotten_nothing_is_found(intake: Intake) -> None:
    from services.intake import store

    first, second = await say(intake), await say(intake)
    await intake.later(first["tracking_code"], "matters")
    token = link(intake, (await asked(intake))[0])
    async with intake.service.transaction() as tx:
        await tx.lock(second["feedback_id"])
        await store.load(tx, [second["feedback_id"]])
        await store.erase(tx, second["feedback_id"])
    items = (await open_(intake, token)).json()["items"]
    assert [one["feedback_id"] for one in items] == [first["feedback_id"]]


async def test_no_address_stands_in_the_log(intake: Intake) -> None:
    first = await say(intake)
    await intake.later(first["tracking_code"], "matters")
    assert MINE not in json.dumps(await asked(intake))
    assert MINE not in str([dict(row) for row in await intake.rows("SELECT * FROM proofs")])
