"""Who left a telephone alone: nothing can be sent, so somebody rings, and it is noted who did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.desk import examples
from tests.service.desk.conftest import Desk

BROWSER = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
PHONE = {"phone": "13800001111", "name": "李某"}


async def phoned(desk: Desk, contact: dict[str, str] = PHONE, **more: Any) -> str:
    feedback_id = await desk.in_progress(channel="phone", **more)
    await desk.process(examples.private(feedback_id, contact=contact))
    return feedback_id


async def shown(desk: Desk, feedback_id: str) -> dict[str, Any]:
    answer = await desk.as_("handler", "space").get(f"/api/cases/{feedback_id}")
    return dict(answer.json())


async def test_whoever_writes_to_them_is_told_to_ring_before_it_is_sent(desk: Desk) -> None:
    feedback_id = await phoned(desk)
    handler = desk.as_("handler", "space")
    page = (await handler.get(f"/desk/cases/{feedback_id}", headers=BROWSER)).text
    assert "读者只留了电话，问题发不出去：请打电话问。" in page
    assert "读者只留了电话，话发不出去：请打电话告诉。" in page
    look = await handler.post(
        f"/api/cases/{feedback_id}/preview", json={"text": "您好，收走了", "outcome": "solved"}
    )
    assert (look.json()["letters"], look.json()["only_phone"]) == ([], True)
    told = await handler.post(
        f"/desk/cases/{feedback_id}/preview", content="text=hello", headers=BROWSER
    )
    assert "只留了电话" in told.text
    assert "没有留联系方式" not in told.text


@pytest.mark.parametrize(
    ("action", "body", "kind"),
    [
        ("ask", {"question": "是哪一排？"}, "question"),
        ("progress", {"text": "在办"}, "words"),
        ("reply", {"text": "您好，收走了", "outcome": "solved"}, "words"),
    ],
)
async def test_what_was_written_stands_on_top_until_somebody_notes_that_they_rang(
    desk: Desk, action: str, body: dict[str, Any], kind: str
) -> None:
    feedback_id = await phoned(desk)
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, action, **body)
    assert (await shown(desk, feedback_id))["to_ring"]["kind"] == kind
    page = (await handler.get(f"/desk/cases/{feedback_id}", headers=BROWSER)).text
    assert 'id="to-ring"' in page
    assert "13800001111" in page
    await desk.do(handler, feedback_id, "note", text="我看过了")
    assert (await shown(desk, feedback_id))["to_ring"] is not None
    answer = await handler.post(
        f"/api/cases/{feedback_id}/note", content="text=rung&rang=true", headers=BROWSER
    )
    assert answer.status_code == 303, answer.text
    case = await shown(desk, feedback_id)
    assert case["to_ring"] is None
    assert "打电话告诉了读者" in case["timeline"][-1]["text"]
    assert case["timeline"][-1]["by"]


async def test_who_answers_has_heard_of_it(desk: Desk) -> None:
    feedback_id = await phoned(desk)
    await desk.do(desk.as_("handler", "space"), feedback_id, "ask", question="是哪一排？")
    await desk.process(examples.supplemented(feedback_id))
    assert (await shown(desk, feedback_id))["to_ring"] is None


@pytest.mark.parametrize(
    ("contact", "more"),
    [({**PHONE, "email": "a@x.edu"}, {}), ({}, {}), (PHONE, {"anonymous": True})],
)
async def test_nobody_rings_who_can_be_written_to_or_may_not_be_known(
    desk: Desk, contact: dict[str, str], more: dict[str, Any]
) -> None:
    feedback_id = await phoned(desk, contact, **more)
    await desk.do(desk.as_("handler", "space"), feedback_id, "ask", question="是哪一排？")
    case = await shown(desk, feedback_id)
    assert (case["only_phone"], case["to_ring"]) == (False, None)


async def test_in_confidence_the_department_is_told_who_has_the_number(desk: Desk) -> None:
    feedback_id = await phoned(desk, confidential=True)
    handler = desk.as_("handler", "space")
    await desk.do(handler, feedback_id, "ask", question="是哪一排？")
    page = (await handler.get(f"/desk/cases/{feedback_id}", headers=BROWSER)).text
    assert "电话在用户关系办公室，请他们打" in page
    assert "13800001111" not in page
