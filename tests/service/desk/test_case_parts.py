"""What the page of a case loads when it is there: near-equal cases, the record, hints."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_related import shown, work

PART = {"hx-request": "true"}
FORM = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
NOISE = "三层东区有人一直外放视频，很吵，能不能请人管一下？"


async def near(desk: Desk, feedback_id: str, who: Any = None, **headers: str) -> str:
    asker = who or desk.as_("coordinator")
    answer = await asker.get(f"/desk/cases/{feedback_id}/near", headers=PART | headers)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


async def press(desk: Desk, part: str, action: str) -> str:
    """Press the first button of this action: where the browser goes."""
    form = re.search(rf'(?s)action="/api/cases/bulk/{action}".*?</form>', part)
    assert form, action
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[0])
    body = "&".join(f"{name}={value}" for name, value in fields)
    answer = await desk.as_("coordinator").post(
        f"/api/cases/bulk/{action}", content=body, headers=FORM
    )
    assert answer.status_code == 303, answer.text
    await work(desk)
    return str(answer.headers["location"])


async def two(desk: Desk) -> tuple[str, str]:
    older = await desk.case(text=NOISE, place="三层东区", title="外放 <b>")
    return older, await desk.case(text=NOISE + "谢谢", place="三层东区")


async def test_the_page_asks_for_what_is_near_only_once_it_is_there(desk: Desk) -> None:
    older, newer = await two(desk)
    page = (await desk.as_("coordinator").get(f"/desk/cases/{newer}")).text
    assert f'hx-get="/desk/cases/{newer}/near" hx-trigger="load"' in page
    assert f'href="/desk/cases/{newer}/near"' in page, "a link where there is no script"
    assert older not in page
    await desk.do(desk.as_("coordinator"), newer, "reject", reason="x")
    ended = (await desk.as_("coordinator").get(f"/desk/cases/{newer}")).text
    assert "/near" not in ended


async def test_near_equal_cases_are_shown_with_one_press_each(desk: Desk) -> None:
    older, newer = await two(desk)
    part = await near(desk, newer)
    assert "<html" not in part
    assert "外放 &lt;b&gt;" in part
    assert "同一个地方" in part
    whole = (await desk.as_("coordinator").get(f"/desk/cases/{newer}/near")).text
    assert "<html" in whole
    assert older in whole
    assert "/api/cases/" not in await near(desk, newer, desk.as_("auditor"))
    assert (await desk.as_("handler", "it").get(f"/desk/cases/{newer}/near")).status_code == 404
    assert (await desk.as_("coordinator").get("/desk/cases/x/near")).status_code == 404


@pytest.mark.parametrize("action", ["merge", "link"])
async def test_a_press_is_shown_on_the_page_of_the_case_and_taken_back(
    desk: Desk, action: str
) -> None:
    older, newer = await two(desk)
    where = await press(desk, await near(desk, newer), action)
    assert where.startswith(f"/desk/cases/{newer}?job=")
    office = desk.as_("coordinator")
    page = (await office.get(where)).text
    assert "1 / 1" in page
    undo = re.search(r'action="(/api/jobs/[^"]+/undo)"', page)
    assert undo
    linked, joined = (await shown(desk, newer))["links"], (await shown(desk, newer))["merged_into"]
    assert (linked, joined) == ([older], None) if action == "link" else ([], older)
    await office.post(undo[1], content=f"back=/desk/cases/{newer}", headers=FORM)
    await work(desk)
    assert (await shown(desk, newer))["links"] == []
    assert (await shown(desk, newer))["state"] == "TRIAGE"


async def test_a_case_is_brought_into_the_incident_of_the_other(desk: Desk) -> None:
    older, newer = await two(desk)
    assert f"/desk/incidents?feedback_ids={older}&amp;feedback_ids={newer}" in await near(
        desk, newer
    )
    office = desk.as_("coordinator")
    opened = (await office.post("/api/incidents", json={"title": "x", "text": "y"})).json()
    # Its id, as a person may type it.
    typed = opened["incident_id"].replace("-", "").upper()
    await desk.do(office, older, "join", incident=typed)
    await press(desk, await near(desk, newer), "join")
    assert (await shown(desk, newer))["incident"] == opened["incident_id"]


async def test_the_record_is_checked_when_it_is_asked_for(desk: Desk) -> None:
    one = await desk.case()
    await desk.process(examples.private(one, contact={"phone": "13800001234"}))
    office, auditor = desk.as_("coordinator"), desk.as_("auditor")
    page = (await office.get(f"/desk/cases/{one}")).text
    assert f'hx-get="/desk/cases/{one}/record" hx-trigger="toggle once"' in page
    part = (await office.get(f"/desk/cases/{one}/record", headers=PART)).text
    assert "每一行都与写下时相同。" in part
    assert f"/api/cases/{one}/export?format=html" in part
    assert "谁看过读者是谁" not in part
    read = (await auditor.get(f"/desk/cases/{one}/record", headers=PART)).text
    assert "coordinator" in read
    assert "姓名和联系方式" in read
    assert "13800001234" not in read
    async with desk.service.transaction() as tx:
        await tx.fetch("UPDATE timeline SET type = 'x' WHERE feedback_id = $1 AND seq = 1", one)
    assert "与写下时不同" in (await auditor.get(f"/desk/cases/{one}/record")).text
    handler = desk.as_("handler", "space")
    assert (await handler.get(f"/desk/cases/{one}/record")).status_code == 403
    assert (await auditor.get("/desk/cases/x/record")).status_code == 404


async def test_a_reply_is_looked_at_while_it_is_written(desk: Desk) -> None:
    one = await desk.in_progress()
    handler = desk.as_("handler", "space")
    page = (await handler.get(f"/desk/cases/{one}")).text
    assert f'hx-post="/desk/cases/{one}/look?action=reply"' in page
    path = f"/desk/cases/{one}/look"
    part = await handler.post(path, content="text=ok", headers=FORM | PART)
    assert "<html" not in part.text
    assert "答复太短，读者看不出结果。" in part.text
    fine = "text=您好，三层东区的音响今天上午已经关掉了，保安每小时巡一次。"
    assert "<li" not in (await handler.post(path, content=fine, headers=FORM | PART)).text
    whole = (await handler.post(path, content="text=<b>ok", headers=FORM)).text
    assert "&lt;b&gt;ok" in whole
    assert (await desk.as_("auditor").post(path, content="text=x", headers=FORM)).status_code == 403


async def test_who_reviews_sees_what_was_noticed(desk: Desk) -> None:
    one = await desk.in_progress()
    await desk.do(desk.as_("handler", "space"), one, "submit", text="已回复", outcome="solved")
    page = (await desk.as_("reviewer", "space").get(f"/desk/cases/{one}")).text
    hints = re.search(r'(?s)id="review-hints".*?</ul>', page)
    assert hints
    assert "答复太短" in hints[0]
