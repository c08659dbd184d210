"""Replies before they are sent: kept for their writer alone, and looked at."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts.intake import PrivateErased
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

DRAFT = {"text": "您好，占座的水杯已经收走", "outcome": "solved", "rule": "阅览规则 第 3 条"}


async def draft(desk: Desk, who: Any, feedback_id: str) -> Any:
    answer = await who.get(f"/api/cases/{feedback_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["draft"]


async def kept(desk: Desk) -> int:
    async with desk.service.engine.connect() as connection:
        return (await connection.execute(text("SELECT count(*) FROM drafts"))).scalar_one()


async def test_a_draft_is_kept_for_its_writer_alone(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    address = f"/api/cases/{feedback_id}/draft"
    before = (await handler.get(f"/api/cases/{feedback_id}")).json()
    events = await desk.emitted(feedback_id)

    for words in ("您好", DRAFT["text"]):
        saved = await handler.put(address, json=DRAFT | {"text": words})
        assert saved.status_code == 200, saved.text
    after = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert after["draft"].pop("saved_at")
    assert after["draft"] == DRAFT
    assert after | {"draft": None} == before
    assert await desk.emitted(feedback_id) == events
    assert await draft(desk, head, feedback_id) is None
    page = f"/desk/cases/{feedback_id}"
    assert DRAFT["text"] in (await handler.get(page)).text
    assert DRAFT["text"] not in (await head.get(page)).text
    assert await draft(desk, desk.as_("handler", "space", "other"), feedback_id) is None
    assert await draft(desk, desk.as_("auditor"), feedback_id) is None
    exported = await handler.get(f"/api/cases/{feedback_id}/export")
    assert DRAFT["text"] not in exported.text

    await head.put(address, json={"text": "另一个人写的"})
    assert (await draft(desk, head, feedback_id))["text"] == "另一个人写的"
    assert (await draft(desk, handler, feedback_id))["text"] == DRAFT["text"]
    assert (await handler.delete(address)).status_code == 204
    assert (await handler.delete(address)).status_code == 204
    assert await draft(desk, handler, feedback_id) is None
    assert await draft(desk, head, feedback_id) is not None


async def test_a_draft_ends_when_its_writer_has_sent(desk: Desk) -> None:
    action = "reply"
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    for who in (handler, head):
        await who.put(f"/api/cases/{feedback_id}/draft", json=DRAFT)
    refused = await handler.post(f"/api/cases/{feedback_id}/{action}", json={"text": "x"})
    assert refused.status_code == 422
    assert await draft(desk, handler, feedback_id) is not None
    await desk.do(handler, feedback_id, "note", text="x")
    assert await draft(desk, handler, feedback_id) is not None
    await desk.do(handler, feedback_id, action, text="您好，已清理", outcome="solved")
    assert await draft(desk, handler, feedback_id) is None
    assert await draft(desk, head, feedback_id) is not None


async def test_who_was_not_the_first_to_answer_is_told_and_goes_on_from_their_words(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await head.put(f"/api/cases/{feedback_id}/draft", json=DRAFT)
    await desk.do(handler, feedback_id, "reply", text="您好，已清理", outcome="solved")
    late = await head.post(
        f"/api/cases/{feedback_id}/reply", json={"text": DRAFT["text"], "outcome": "solved"}
    )
    assert (late.status_code, "可以补充或更正" in late.json()["detail"]) == (409, True)
    page = await head.get(f"/desk/cases/{feedback_id}", headers={"accept": "text/html"})
    assert "您写的还没有发出" in page.text
    assert DRAFT["text"] in page.text
    assert 'id="other-amend" name="others" open' in page.text
    await desk.do(head, feedback_id, "amend", text=DRAFT["text"])
    page = await head.get(f"/desk/cases/{feedback_id}", headers={"accept": "text/html"})
    assert "您写的还没有发出" not in page.text
    assert await kept(desk) == 0


async def test_what_is_sent_back_is_written_on_from_where_it_was(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await handler.put(f"/api/cases/{feedback_id}/draft", json=DRAFT)
    await desk.do(handler, feedback_id, "submit", text="您好，已清理", outcome="solved")
    await desk.do(head, feedback_id, "send_back", comment="请写明日期")
    mine = await draft(desk, handler, feedback_id)
    assert mine is not None
    assert (mine["text"], mine["outcome"]) == ("您好，已清理", "solved")
    assert await draft(desk, head, feedback_id) is None
    await desk.do(handler, feedback_id, "submit", text="您好，11 月 3 日已清理", outcome="solved")
    await desk.do(head, feedback_id, "approve")
    assert await kept(desk) == 0


async def test_who_was_writing_when_it_was_fetched_back_hears_that_the_draft_is_kept(
    desk: Desk,
) -> None:
    feedback_id = await desk.in_progress()
    handler, head = desk.as_("handler", "space"), desk.as_("reviewer", "space")
    await handler.put(f"/api/cases/{feedback_id}/draft", json=DRAFT)
    await desk.do(desk.as_("coordinator"), feedback_id, "recall", reason="转错了")
    said = {}
    for name, who in (("writer", handler), ("other", head)):
        refused = await who.post(f"/api/cases/{feedback_id}/reply", json=DRAFT)
        assert refused.status_code == 404
        said[name] = refused.json()["detail"]
    assert "草稿还在" in said["writer"]
    assert "草稿" not in said["other"]
    assert await kept(desk) == 1


async def test_a_draft_without_words_is_none(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    address = f"/api/cases/{feedback_id}/draft"
    await handler.put(address, json=DRAFT)
    assert (await handler.put(address, json={"text": " \n ", "outcome": ""})).json() is None
    assert await kept(desk) == 0


async def test_drafts_go_with_the_person_they_speak_of(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    await desk.process(examples.private(feedback_id))
    handler = desk.as_("handler", "space")
    address = f"/api/cases/{feedback_id}/draft"
    await handler.put(address, json={"text": "王小明您好，13800001234"})
    assert (await draft(desk, handler, feedback_id))["text"] == "王小明您好，13800001234"
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    assert await kept(desk) == 0
    await handler.put(address, json={"text": "您好，13800001234"})
    assert (await draft(desk, handler, feedback_id))["text"] == "您好，〔电话〕"


async def test_who_may_write_no_reply_keeps_no_draft(desk: Desk) -> None:
    feedback_id = await desk.in_progress()
    for suffix, method in (("draft", "PUT"), ("draft", "DELETE"), ("look", "POST")):
        address = f"/api/cases/{feedback_id}/{suffix}"
        for who, status in (
            (desk.as_("liaison", "space"), 403),
            (desk.as_("auditor"), 403),
            (desk.as_("handler", "it"), 404),
            (desk.visitor(), 401),
        ):
            answer = await who.request(method, address, json=DRAFT)
            assert answer.status_code == status, (suffix, answer.text)


@pytest.mark.parametrize("feedback_id", ["%00", "x" * 70, "%C3%A9", "unknown"])
async def test_what_is_no_case_has_no_draft(desk: Desk, feedback_id: str) -> None:
    answer = await desk.as_("coordinator").put(f"/api/cases/{feedback_id}/draft", json=DRAFT)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x" * 50_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x", "outcome": "other"}, "outcome"),
        ({"text": "x", "rule": "x" * 201}, "rule"),
    ],
)
async def test_a_draft_has_the_limits_of_a_reply(
    desk: Desk, body: dict[str, str], field: str
) -> None:
    feedback_id = await desk.in_progress()
    answer = await desk.as_("handler", "space").put(f"/api/cases/{feedback_id}/draft", json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert await kept(desk) == 0


@pytest.mark.parametrize(
    ("action", "field"), [("ask", "question"), ("progress", "text"), ("reject", "reason")]
)
async def test_other_words_to_a_reporter_are_looked_at_for_what_the_page_hides(
    desk: Desk, action: str, field: str
) -> None:
    feedback_id = await (desk.case() if action == "reject" else desk.in_progress())
    who = desk.as_("coordinator") if action == "reject" else desk.as_("handler", "space")
    page = (await who.get(f"/desk/cases/{feedback_id}")).text
    assert f"/look?action={action}" in page
    address = f"/api/cases/{feedback_id}/look?action={action}"
    found = await who.post(address, json={field: "打 13800001234"})
    assert [one["code"] for one in found.json()["hints"]] == ["personal_data"]
    plain = await who.post(address, json={field: "打 010-62751051"})
    assert plain.json() == {"hints": []}


async def test_a_reply_is_looked_at_before_it_is_sent_and_when_it_waits(desk: Desk) -> None:
    desk.service.runtime.directory.category_rules["seats"] = "阅览规则"
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    events = await desk.emitted(feedback_id)
    address = f"/api/cases/{feedback_id}/look"
    looked = (
        await handler.post(address, json={"text": "我们会尽快处理，请联系 13800001234"})
    ).json()
    assert [one["code"] for one in looked["hints"]] == ["greeting", "personal_data", "rule", "date"]
    assert all(one["text"] for one in looked["hints"])
    assert (await handler.post(address, json=DRAFT)).json() == {"hints": []}
    form = await handler.post(address, data={"text": "已处理", "outcome": "", "rule": "x"})
    english = {"accept-language": "en"}
    assert [one["code"] for one in form.json()["hints"]] == [
        "short",
        "bare",
        "greeting",
        "rule_version",
    ]
    assert (
        (await handler.post(address, json={"text": "x"}, headers=english))
        .json()["hints"][0]["text"]
        .startswith("Too short")
    )
    assert await desk.emitted(feedback_id) == events

    waiting = await desk.do(handler, feedback_id, "submit", text="已处理", outcome="solved")
    assert [one["code"] for one in waiting["review"]["hints"]] == [
        "short",
        "bare",
        "greeting",
        "rule",
    ]


@pytest.mark.parametrize("outcome", ["explained", "cannot"])
@pytest.mark.parametrize("action", ["reply", "submit"])
async def test_what_is_only_explained_or_cannot_be_done_needs_a_reason(
    desk: Desk, action: str, outcome: str
) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    body = {"text": "您好，暂时不能延长开放时间", "outcome": outcome}
    answer = await handler.post(f"/api/cases/{feedback_id}/{action}", json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["reason"]
    await desk.do(handler, feedback_id, action, **body, reason="没有值班人员")
