"""What a reporter may say later, and when not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.domain.later import MAX_SUPPLEMENTS
from shared.contracts import Event
from shared.contracts.desk import (
    CaseClosed,
    CaseInfoRequested,
    CaseRejected,
    CaseReopened,
    CaseReplied,
    CaseRequestRefused,
    CaseWithdrawn,
)
from tests.fakes.desk import FakeDesk
from tests.service.intake.conftest import Intake

RATING = {"stars": 5, "solved": "yes"}


class Case:
    """One comment and what becomes of it."""

    def __init__(self, intake: Intake, body: dict[str, str]) -> None:
        self.intake, self.id, self.code = intake, body["feedback_id"], body["tracking_code"]
        self.desk = FakeDesk(self.id)

    async def happens(self, emitted: type[Event], **more: Any) -> None:
        await self.intake.process(self.desk.event(emitted, self.intake.clock.now(), **more))

    async def replied(self) -> None:
        await self.happens(CaseReplied, text="已修好", outcome="solved")

    async def does(self, action: str, **body: Any) -> int:
        answer = await self.intake.later(self.code, action, **body)
        if answer.status_code == 200:
            assert answer.json()["feedback_id"] == self.id
            assert answer.json()["action"] == action
            assert answer.json()["at"].endswith("+08:00")
        return answer.status_code

    async def may(self) -> list[str]:
        """What a refusal says is possible; asked by what is certainly not."""
        for action in ("rate", "reopen", "withdraw", "supplement", "appeal"):
            answer = await self.intake.later(self.code, action)
            if answer.status_code == 409:
                return answer.json()["allowed"]
        raise AssertionError

    async def events(self) -> list[str]:
        return [
            f["type"].removesuffix(".v1")
            for f in await self.intake.emitted(self.id)
            if f["topic"] == "feedback.events"
        ]


@pytest.fixture
async def case(intake: Intake) -> Case:
    return Case(intake, (await intake.say("占座", contact={"email": "l@example.edu"})).json())


async def test_more_words_are_emitted_masked_and_kept_whole(intake: Intake, case: Case) -> None:
    assert await case.does("supplement", text="电话 13800001234 \r\n") == 200
    intake.clock.later(minutes=5)
    assert await case.does("supplement", text="还在占") == 200
    *_, details, emitted = await intake.emitted(case.id)
    assert emitted["type"] == "feedback.supplemented.v1"
    assert emitted["seq"] == 3
    first = next(f for f in await intake.emitted(case.id) if f["seq"] == 2)["body"]
    assert "13800001234" not in first["text"]
    private = [f for f in await intake.emitted(case.id) if f["topic"] == "feedback.private"]
    assert [f["type"] for f in private] == ["private.details.v1", *["private.words.v1"] * 2]
    words = {f["body"]["words_id"]: f["body"]["text"] for f in private[1:]}
    assert words == {first["words_id"]: "电话 13800001234", emitted["body"]["words_id"]: "还在占"}
    assert private[-1] == details, "before the event that refers to it"


async def test_a_button_pressed_twice_supplements_once(intake: Intake, case: Case) -> None:
    first = await intake.later(case.code, "supplement", text="还在占")
    intake.clock.later(seconds=12)
    again = await intake.later(case.code, "supplement", text="还在占\n")
    assert again.json() == first.json()
    assert await case.events() == ["feedback.received", "feedback.supplemented"]
    intake.clock.later(minutes=2)
    assert await case.does("supplement", text="还在占") == 200
    assert len(await case.events()) == 3


async def test_the_same_words_are_another_answer_once_something_was_asked(
    intake: Intake, case: Case
) -> None:
    assert await case.does("supplement", text="靠窗那台") == 200
    intake.clock.later(seconds=2)
    asked = FakeDesk(case.id).event(CaseInfoRequested, intake.clock.now(), question="哪一台？")
    await intake.process(asked)
    intake.clock.later(seconds=2)
    for _ in range(2):
        assert await case.does("supplement", text="靠窗那台") == 200
    assert (await case.events()).count("feedback.supplemented") == 2


async def test_the_same_key_is_the_same_action(intake: Intake, case: Case) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await intake.later(case.code, "urge", headers=headers)
    intake.clock.later(minutes=1)
    again = await intake.later(case.code, "urge", headers=headers)
    assert again.json() == first.json()
    other = await intake.later(case.code, "supplement", text="x", headers=headers)
    assert other.status_code == 409


async def test_urging_is_once_an_hour(intake: Intake, case: Case) -> None:
    assert await case.does("urge") == 200
    intake.clock.later(minutes=59)
    refused = await intake.later(case.code, "urge")
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["supplement", "withdraw"]
    assert "一小时" in refused.json()["detail"]
    intake.clock.later(minutes=1)
    assert await case.does("urge") == 200
    assert await case.events() == ["feedback.received", "feedback.urged", "feedback.urged"]


async def test_a_reply_is_rated_once(intake: Intake, case: Case) -> None:
    assert await case.does("rate", **RATING) == 409
    await case.replied()
    assert await case.does("rate", stars=6, solved="yes") == 422
    assert await case.does("rate", stars=True, solved="yes") == 422
    assert await case.does("rate", stars=5, solved="maybe") == 422
    assert await case.does("rate", stars=5) == 422
    assert await case.does("rate", **RATING, comment="多谢，打 13800001234 就行") == 200
    assert await case.does("rate", **RATING) == 409
    emitted = (await intake.emitted(case.id))[-1]
    assert (emitted["type"], emitted["body"]["stars"]) == ("feedback.rated.v1", 5)
    assert "13800001234" not in str(emitted)
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


async def test_it_is_reopened_within_fifteen_days_and_twice_at_most(
    intake: Intake, case: Case
) -> None:
    assert await case.does("reopen", reason="没修好") == 409
    for cycle in (2, 3):
        await case.replied()
        assert await case.does("reopen") == 422
        assert await case.does("reopen", reason=" ") == 422
        assert await case.does("reopen", reason="没修好") == 200
        assert await case.does("reopen", reason="没修好") == 409
        await case.happens(CaseReopened, reason="没修好", cycle=cycle)
    await case.replied()
    refused = await intake.later(case.code, "reopen", reason="没修好")
    assert refused.status_code == 409
    assert "reopen" not in refused.json()["allowed"]
    assert "rate" in refused.json()["allowed"]


async def test_the_window_counts_from_the_reply(intake: Intake, case: Case) -> None:
    await case.replied()
    intake.clock.later(days=10)
    await case.happens(CaseClosed, how="quiet")
    intake.clock.later(days=5)
    assert "reopen" not in await _tried(intake, case, days=0)
    intake.clock.later(seconds=1)
    assert await case.does("reopen", reason="又坏了") == 409


async def _tried(intake: Intake, case: Case, days: int) -> list[str]:
    intake.clock.later(days=days)
    answer = await intake.later(case.code, "supplement", text="x")
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
    assert await case.events() == ["feedback.received", "feedback.withdrawn"]


async def test_what_is_closed_or_refused_cannot_be_withdrawn(intake: Intake, case: Case) -> None:
    await case.replied()
    await case.happens(CaseClosed, how="rated")
    assert await case.does("withdraw") == 409
    other = Case(intake, (await intake.say("宿舍 WiFi 慢")).json())
    await other.happens(CaseRejected, reason="不归图书馆")
    assert await other.does("withdraw") == 409
    assert await other.does("supplement", text="我说的是图书馆的 WiFi") == 200


async def test_unknown_codes_and_actions_are_alike(intake: Intake, case: Case) -> None:
    known = await intake.later(case.code, "explode")
    strange = await intake.later(intake.strange_code(), "urge")
    genuine = await intake.later(intake.service.runtime.signer.tracking_code(), "urge")
    assert {known.status_code, strange.status_code, genuine.status_code} == {404}
    assert known.json() == strange.json() == genuine.json()


async def test_a_code_is_read_as_people_type_it(intake: Intake, case: Case) -> None:
    typed = case.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert (await intake.later(typed, "urge")).status_code == 200


async def test_a_state_that_forbids_comes_before_what_is_wrong_with_the_body(
    intake: Intake, case: Case
) -> None:
    assert await case.does("rate", stars="many") == 409
    for action, expected in (("rate", 409), ("supplement", 400)):
        for headers in ({}, {"Idempotency-Key": "k"}):
            bad = await intake.client.post(
                f"/api/track/{case.code}/{action}",
                content=b"{",
                headers={"Content-Type": "application/json"} | headers,
            )
            assert bad.status_code == expected


@pytest.mark.parametrize(("action", "body"), [("supplement", {"text": "在三楼"}), ("urge", {})])
async def test_the_moment_that_is_answered_is_the_one_of_the_event(
    intake: Intake, case: Case, monkeypatch: pytest.MonkeyPatch, action: str, body: dict[str, str]
) -> None:
    """By it the page of the case knows whether what was just done stands in it already."""
    monkeypatch.setattr(intake.clock, "now", lambda: intake.clock.later(microseconds=90))
    answer = await intake.later(case.code, action, **body)
    event = (await intake.emitted(case.id))[-1]["body"]
    assert datetime.fromisoformat(answer.json()["at"]) == datetime.fromisoformat(event["at"])


async def test_a_form_goes_back_to_the_page(intake: Intake, case: Case) -> None:
    html = {"Accept": "text/html"}
    path = f"/api/track/{case.code}"
    done = await intake.client.post(f"{path}/supplement", data={"text": "x"}, headers=html)
    assert done.status_code == 303
    at = intake.clock.now().astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert done.headers["location"] == f"/track/{case.code}?done=supplement&at={at}"
    urged = await intake.client.post(f"{path}/urge", headers=html)
    assert urged.status_code == 303
    early = await intake.client.post(
        f"{path}/rate", data={"stars": "5", "solved": "yes", "comment": "谢谢"}, headers=html
    )
    assert early.status_code == 409
    assert "谢谢" in early.text
    assert "还没有答复" in early.text


async def test_a_form_that_is_refused_leads_back_to_the_case_and_gives_back_no_blanks(
    intake: Intake, case: Case
) -> None:
    html = {"Accept": "text/html"}
    for code, leads in ((case.code, True), (intake.strange_code(), False)):
        page = await intake.client.post(
            f"/api/track/{code}/supplement", data={"text": "   "}, headers=html
        )
        assert page.status_code == (422 if leads else 404)
        assert (f"/track/{case.code.replace('-', '')}" in page.text) == leads
        assert "您刚才写的都在这里" not in page.text


async def test_supplements_cost_what_was_sent_and_end_somewhere(intake: Intake, case: Case) -> None:
    async def stored() -> int:
        (row,) = await intake.rows("SELECT sum(octet_length(body)) AS n FROM outbox")
        return int(row["n"])

    before = await stored()
    sent = 0
    for n in range(MAX_SUPPLEMENTS):
        text = f"{n} " + "字" * 500
        assert await case.does("supplement", text=text) == 200
        sent += len(text.encode())
        intake.clock.later(minutes=1)
    # Once masked for everybody, once whole.
    assert await stored() - before < 2 * sent + MAX_SUPPLEMENTS * 1_000
    answer = await intake.later(case.code, "supplement", text="还有一句")
    assert answer.status_code == 409
    assert "请另提一件" in answer.json()["detail"]
    assert answer.json()["allowed"] == ["urge", "withdraw"]
    assert await case.does("urge") == 200


async def test_what_is_missing_is_named(intake: Intake, case: Case) -> None:
    """With the words of people, on a page as for programs, whatever the field."""
    await case.replied()
    for action, fields, zh, en in (
        ("reopen", {"text": "还是坏的"}, "理由：必填", "Reason: is required"),
        ("rate", {"comment": "谢谢"}, "评价、解决了吗：必填", "Stars, Solved: is required"),
    ):
        path = f"/api/track/{case.code}/{action}"
        for locale, words in (("zh", zh), ("en", en)):
            read = {"Accept-Language": locale}
            program = await intake.client.post(path, json=fields, headers=read)
            assert (program.status_code, program.json()["detail"]) == (422, words)
            page = await intake.client.post(
                path, data=fields, headers=read | {"Accept": "text/html"}
            )
            assert page.status_code == 422
            assert words in page.text
            assert "problem-list" not in page.text, "nothing is said twice"
    path = f"/api/track/{case.code}/rate"
    page = await intake.client.post(path, data={"stars": "9"}, headers={"Accept": "text/html"})
    assert 'data-field="stars"><strong>评价</strong>' in page.text
    assert 'data-field="solved"><strong>解决了吗</strong>' in page.text
