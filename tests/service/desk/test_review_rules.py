"""A category, a priority or a department whose replies are read by somebody else first."""

from __future__ import annotations

import pytest

from services.desk.store.review_rules import set_rule
from shared.contracts.desk import ReviewRuleListed
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

RULES = (("category", "seats"), ("priority", "P3"), ("department", "space"))


async def rule(desk: Desk, kind: str, code: str, *, on: bool = True) -> None:
    async with desk.service.transaction() as tx:
        await set_rule(tx, kind, code, on=on)


@pytest.mark.parametrize(("kind", "code"), RULES)
async def test_what_needs_review_is_not_answered_directly(desk: Desk, kind: str, code: str) -> None:
    for _ in range(2):
        await rule(desk, kind, code)
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert case["needs_review"]
    assert "reply" not in case["may"]
    body = {"text": "您好，已清理", "outcome": "solved"}
    assert (await handler.post(f"/api/cases/{feedback_id}/reply", json=body)).status_code == 409
    await desk.do(handler, feedback_id, "submit", **body)
    done = await desk.do(desk.as_("reviewer", "space"), feedback_id, "approve")
    assert done["state"] == "REPLIED"


@pytest.mark.parametrize(("kind", "code"), RULES)
async def test_other_cases_and_those_of_afterwards_need_none(
    desk: Desk, kind: str, code: str
) -> None:
    await rule(desk, kind, "other")
    await rule(desk, kind, code)
    await rule(desk, kind, code, on=False)
    feedback_id = await desk.replied()
    assert "case.replied" in await desk.emitted(feedback_id)


async def test_who_corrects_or_dispatches_changes_what_it_needs(desk: Desk) -> None:
    await rule(desk, "priority", "P1")
    await rule(desk, "department", "it")
    feedback_id = await desk.case()
    await desk.process(examples.routed(feedback_id))
    office = desk.as_("coordinator")
    case = await desk.do(office, feedback_id, "correct", priority="P1", reason="x")
    assert case["needs_review"]
    case = await desk.do(office, feedback_id, "correct", priority="P3", reason="x")
    assert not case["needs_review"]
    case = await desk.do(office, feedback_id, "dispatch", department="it", reason="x")
    assert case["needs_review"]


URL, BROWSER = "/api/review-rules", {"accept": "text/html"}
SAID = {"kind": "category", "code": "seats", "required": True, "reason": "投诉多"}


async def test_it_is_said_by_whom_since_when_and_why_and_the_log_knows(desk: Desk) -> None:
    office, admin = desk.as_("coordinator"), desk.as_("admin")
    for _ in range(2):
        answer = await office.post(URL, json=SAID | {"reason": "投诉多，13911112222"})
        assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    assert (item["code"], item["by"]) == ("seats", "coordinator")
    assert item["since"].startswith("2026-03-04T10:05")
    assert "13911112222" not in item["reason"]
    assert all(one["code"] != "seats" for one in answer.json()["others"])
    page = await admin.get("/desk/review-rules", headers=BROWSER)
    assert "投诉多" in page.text
    body = {"what": "category:seats", "required": "false", "reason": "好了"}
    gone = await admin.post(URL, data=body, headers=BROWSER)
    assert (gone.status_code, gone.headers["location"]) == (303, "/desk/review-rules?done=off")
    assert (await admin.get(URL)).json()["items"] == []
    told = [t for t in await desk.told() if t["type"] == ReviewRuleListed.type]
    assert [t["key"] for t in told] == ["review:category:seats"] * 2
    said = [ReviewRuleListed.model_validate(t["body"]) for t in told]
    assert [(e.required, e.by.name) for e in said] == [(True, "coordinator"), (False, "admin")]


@pytest.mark.parametrize(
    ("role", "department", "read", "write"),
    [
        ("coordinator", None, 200, 200),
        ("admin", None, 200, 200),
        ("leader", None, 200, 403),
        ("auditor", None, 200, 403),
        ("reviewer", "space", 200, 403),
        ("handler", "space", 403, 403),
        ("clerk", None, 403, 403),
    ],
)
async def test_who_reads_and_who_changes_it(
    desk: Desk, role: str, department: str | None, read: int, write: int
) -> None:
    who = desk.as_(role, department)
    assert (await who.get(URL)).status_code == read
    page = await who.get("/desk/review-rules", headers=BROWSER)
    assert page.status_code == read
    assert ('name="reason"' in page.text) == (write == 200)
    assert (await who.post(URL, json=SAID)).status_code == write


@pytest.mark.parametrize(
    "body",
    [
        {"code": "nothing"},
        {"kind": "priority", "code": "P9"},
        {"kind": "weather"},
        {"reason": " "},
        {"reason": "长" * 2001},
        {"reason": "a\x00"},
        {"what": "category"},
        {"what": "::"},
        {"required": "perhaps"},
        {"required": False, "code": "nothing"},
    ],
)
async def test_what_there_is_none_of_is_refused(desk: Desk, body: dict[str, object]) -> None:
    answer = await desk.as_("coordinator").post(URL, json=SAID | body)
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)


async def test_what_is_no_longer_in_use_can_still_be_taken_back(desk: Desk) -> None:
    await rule(desk, "category", "forgotten")
    office = desk.as_("coordinator")
    body = SAID | {"code": "forgotten", "required": False}
    assert (await office.post(URL, json=body)).status_code == 200
    assert (await office.post(URL, json=body)).status_code == 422
