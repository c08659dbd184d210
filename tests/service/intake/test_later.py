"""What a reporter may say later, and when not."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts import Event
from shared.contracts.desk import (
    CaseClosed,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseWithdrawn,
)
from tests.service.intake.conftest import Door

RATING = {"stars": 5, "solved": "yes"}


class Case:
    """One comment and what becomes of it."""

    def __init__(self, door: Door, body: dict[str, str]) -> None:
        self.door, self.id, self.code = door, body["feedback_id"], body["tracking_code"]

    async def happens(self, fact: type[Event], **more: Any) -> None:
        await self.door.hear(fact(feedback_id=self.id, at=self.door.clock.now(), **more))

    async def replied(self) -> None:
        await self.happens(CaseReplied, text="已修好", outcome="solved")

    async def does(self, action: str, **body: Any) -> int:
        answer = await self.door.later(self.code, action, **body)
        if answer.status_code == 200:
            assert answer.json()["feedback_id"] == self.id
            assert answer.json()["action"] == action
            assert answer.json()["at"].endswith("+08:00")
        return answer.status_code

    async def may(self) -> list[str]:
        """What a refusal says is possible; asked by what is certainly not."""
        for action in ("rate", "reopen", "withdraw", "supplement", "appeal"):
            answer = await self.door.later(self.code, action)
            if answer.status_code == 409:
                return answer.json()["allowed"]
        raise AssertionError

    async def facts(self) -> list[str]:
        return [
            f["type"].removesuffix(".v1")
            for f in await self.door.told(self.id)
            if f["topic"] == "feedback.events"
        ]


@pytest.fixture
async def case(door: Door) -> Case:
    return Case(door, (await door.say("占座", contact={"email": "l@example.edu"})).json())


async def test_more_words_are_told_masked_and_kept_whole(door: Door, case: Case) -> None:
    assert await case.does("supplement", text="电话 13800001234 \r\n") == 200
    door.clock.later(minutes=5)
    assert await case.does("supplement", text="还在占") == 200
    *_, details, fact = await door.told(case.id)
    assert fact["type"] == "feedback.supplemented.v1"
    assert fact["seq"] == 3
    first = next(f for f in await door.told(case.id) if f["seq"] == 2)["body"]
    assert "13800001234" not in first["text"]
    assert details["type"] == "private.details.v1"
    assert details["body"]["text"] == "占座"
    assert details["body"]["contact"] == {"email": "l@example.edu"}
    assert details["body"]["words"] == {
        first["words_id"]: "电话 13800001234",
        fact["body"]["words_id"]: "还在占",
    }


async def test_a_button_pressed_twice_supplements_once(door: Door, case: Case) -> None:
    first = await door.later(case.code, "supplement", text="还在占")
    door.clock.later(seconds=12)
    again = await door.later(case.code, "supplement", text="还在占\n")
    assert again.json() == first.json()
    assert await case.facts() == ["feedback.received", "feedback.supplemented"]
    door.clock.later(minutes=2)
    assert await case.does("supplement", text="还在占") == 200
    assert len(await case.facts()) == 3


async def test_the_same_key_is_the_same_action(door: Door, case: Case) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await door.later(case.code, "urge", headers=headers)
    door.clock.later(minutes=1)
    again = await door.later(case.code, "urge", headers=headers)
    assert again.json() == first.json()
    other = await door.later(case.code, "supplement", text="x", headers=headers)
    assert other.status_code == 409


async def test_urging_is_once_an_hour(door: Door, case: Case) -> None:
    assert await case.does("urge") == 200
    door.clock.later(minutes=59)
    refused = await door.later(case.code, "urge")
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["supplement", "withdraw"]
    assert "一小时" in refused.json()["detail"]
    door.clock.later(minutes=1)
    assert await case.does("urge") == 200
    assert await case.facts() == ["feedback.received", "feedback.urged", "feedback.urged"]


async def test_a_reply_is_rated_once(door: Door, case: Case) -> None:
    assert await case.does("rate", **RATING) == 409
    await case.replied()
    assert await case.does("rate", stars=6, solved="yes") == 422
    assert await case.does("rate", stars=5, solved="maybe") == 422
    assert await case.does("rate", stars=5) == 422
    assert await case.does("rate", **RATING, comment="多谢，打 13800001234 就行") == 200
    assert await case.does("rate", **RATING) == 409
    fact = (await door.told(case.id))[-1]
    assert (fact["type"], fact["body"]["stars"]) == ("feedback.rated.v1", 5)
    assert "13800001234" not in str(fact)
    await case.happens(CaseClosed, how="rated")
    assert await case.does("rate", **RATING) == 409
    await case.happens(CaseReopened, reason="x", cycle=2)
    assert await case.does("rate", **RATING) == 409
    await case.replied()
    assert await case.does("rate", stars=1, solved="no") == 200


async def test_a_quietly_closed_reply_may_still_be_rated(case: Case) -> None:
    await case.replied()
    await case.happens(CaseClosed, how="quiet")
    assert await case.does("rate", **RATING) == 200


async def test_it_is_reopened_within_fifteen_days_and_twice_at_most(door: Door, case: Case) -> None:
    assert await case.does("reopen", reason="没修好") == 409
    for cycle in (2, 3):
        await case.replied()
        assert await case.does("reopen") == 422
        assert await case.does("reopen", reason=" ") == 422
        assert await case.does("reopen", reason="没修好") == 200
        assert await case.does("reopen", reason="没修好") == 409
        await case.happens(CaseReopened, reason="没修好", cycle=cycle)
    await case.replied()
    refused = await door.later(case.code, "reopen", reason="没修好")
    assert refused.status_code == 409
    assert "reopen" not in refused.json()["allowed"]
    assert "rate" in refused.json()["allowed"]


async def test_the_window_counts_from_the_reply(door: Door, case: Case) -> None:
    await case.replied()
    door.clock.later(days=10)
    await case.happens(CaseClosed, how="quiet")
    door.clock.later(days=5)
    assert "reopen" not in await _tried(door, case, days=0)
    door.clock.later(seconds=1)
    assert await case.does("reopen", reason="又坏了") == 409


async def _tried(door: Door, case: Case, days: int) -> list[str]:
    door.clock.later(days=days)
    answer = await door.later(case.code, "supplement", text="x")
    assert answer.status_code == 409
    return [a for a in answer.json()["allowed"] if a != "reopen"]


async def test_a_wish_desk_refused_may_be_made_again(case: Case) -> None:
    await case.replied()
    assert await case.does("reopen", reason="没修好") == 200
    await case.happens(CaseRequestRefused, request="feedback.reopen_requested", reason="late")
    assert await case.does("reopen", reason="没修好") == 200


async def test_what_is_withdrawn_is_over(case: Case) -> None:
    assert await case.does("withdraw") == 200
    for action, body in (
        ("withdraw", {}), ("urge", {}), ("supplement", {"text": "x"}), ("rate", RATING),
        ("reopen", {"reason": "x"}), ("appeal", {"reason": "x"}),
    ):  # fmt: skip
        assert await case.does(action, **body) == 409
    assert await case.may() == []
    await case.happens(CaseWithdrawn)
    assert await case.does("urge") == 409
    assert await case.facts() == ["feedback.received", "feedback.withdrawn"]


async def test_what_is_closed_or_refused_cannot_be_withdrawn(door: Door, case: Case) -> None:
    await case.replied()
    await case.happens(CaseClosed, how="rated")
    assert await case.does("withdraw") == 409
    other = Case(door, (await door.say("宿舍 WiFi 慢")).json())
    await other.happens(CaseRejected, reason="不归图书馆")
    assert await other.does("withdraw") == 409
    assert await other.does("supplement", text="x") == 409


async def test_unknown_codes_and_actions_are_alike(door: Door, case: Case) -> None:
    known = await door.later(case.code, "explode")
    strange = await door.later(door.strange_code(), "urge")
    genuine = await door.later(door.service.house.signer.tracking_code(), "urge")
    assert {known.status_code, strange.status_code, genuine.status_code} == {404}
    assert known.json() == strange.json() == genuine.json()


async def test_a_code_is_read_as_people_type_it(door: Door, case: Case) -> None:
    typed = case.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert (await door.later(typed, "urge")).status_code == 200


async def test_a_state_that_forbids_comes_before_what_is_wrong_with_the_body(
    door: Door, case: Case
) -> None:
    assert await case.does("rate", stars="many") == 409
    for action, expected in (("rate", 409), ("supplement", 400)):
        for headers in ({}, {"Idempotency-Key": "k"}):
            bad = await door.client.post(
                f"/api/track/{case.code}/{action}",
                content=b"{",
                headers={"Content-Type": "application/json"} | headers,
            )
            assert bad.status_code == expected


async def test_a_form_goes_back_to_the_page(door: Door, case: Case) -> None:
    html = {"Accept": "text/html"}
    path = f"/api/track/{case.code}"
    done = await door.client.post(f"{path}/supplement", data={"text": "x"}, headers=html)
    assert done.status_code == 303
    assert done.headers["location"] == f"/track/{case.code}?done=supplement"
    urged = await door.client.post(f"{path}/urge", headers=html)
    assert urged.status_code == 303
    early = await door.client.post(
        f"{path}/rate", data={"stars": "5", "solved": "yes", "comment": "谢谢"}, headers=html
    )
    assert early.status_code == 409
    assert "谢谢" in early.text
    assert "还没有答复" in early.text


async def test_the_words_of_a_case_fit_into_one_message(door: Door, case: Case) -> None:
    for n in range(5):
        answer = await door.later(case.code, "supplement", text=f"{n}" + "字" * 49_998)
        assert answer.status_code == 200
        door.clock.later(minutes=1)
    assert await case.does("supplement", text="字" * 50_000) == 409
    largest = max(len(str(f["body"]).encode()) for f in await door.told(case.id))
    assert largest < 1_000_000
