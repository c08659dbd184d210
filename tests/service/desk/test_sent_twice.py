"""A form that comes twice makes one thing: a double click without script, a page from before."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.service.desk.conftest import Desk
from tests.service.desk.test_incident_pages import BROWSER, opened, page
from tests.service.desk.test_related import work

MADE = [
    ("/desk/incidents", "/api/incidents", {"title": "空调", "text": "在修。"}, "incidents"),
    ("/desk/themes", "/api/themes", {"title": "空调", "about": "年年夏天"}, "themes"),
    ("/desk/replies", "/api/canned-replies", {"title": "好了", "zh": "修好了。"}, "canned_replies"),
]


async def count(desk: Desk, table: str) -> int:
    async with desk.service.transaction() as tx:
        return int((await tx.fetch(f"SELECT count(*) AS n FROM {table}"))[0]["n"])


async def key_on(desk: Desk, where: str) -> str:
    found = (await desk.as_("coordinator").get(where)).text
    return str(re.findall('name="idempotency_key" value="([^"]+)"', found)[0])


async def send(desk: Desk, address: str, form: dict[str, Any]) -> str:
    answer = await desk.as_("coordinator").post(address, data=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize(("where", "address", "form", "table"), MADE)
async def test_what_is_new_is_made_once(
    desk: Desk, where: str, address: str, form: dict[str, str], table: str
) -> None:
    before = await count(desk, table)
    form = form | {"idempotency_key": await key_on(desk, where)}
    both = await asyncio.gather(*(send(desk, address, form) for _ in range(2)))
    assert both[0] == both[1] == await send(desk, address, form)
    assert await count(desk, table) == before + 1
    # Another title is another thing, and so is the same one from a page that was opened anew.
    assert await send(desk, address, form | {"title": "暖气"}) not in both
    again = form | {"idempotency_key": await key_on(desk, where)}
    assert await send(desk, address, again) not in both
    assert await count(desk, table) == before + 3


async def test_what_is_done_to_many_is_done_once(desk: Desk) -> None:
    ids = [await desk.case() for _ in range(2)]
    chosen = "&".join(f"feedback_ids={one}" for one in ids)
    key = await key_on(desk, f"/desk/selected?action=reply&{chosen}")
    form = {"feedback_ids": ids, "text": "修好了。", "outcome": "solved", "idempotency_key": key}
    first = await send(desk, "/api/cases/bulk/reply", form)
    await work(desk)
    assert await send(desk, "/api/cases/bulk/reply", form) == first
    await work(desk)
    shown = (await desk.as_("coordinator").get(first)).text
    assert "2 / 2" in shown
    assert "已经答复过" not in shown, "and nobody is told that it failed the second time"
    assert await count(desk, "jobs") == 1


async def test_a_note_is_written_once(desk: Desk, clock: Any) -> None:
    feedback_id = await desk.in_progress()
    handler = desk.as_("handler", "space")
    address = f"/api/cases/{feedback_id}/note"

    async def notes(*texts: str) -> int:
        for text in texts:
            assert (await handler.post(address, json={"text": text})).status_code == 200
        async with desk.service.transaction() as tx:
            query = "SELECT count(*) AS n FROM messages WHERE feedback_id = $1"
            return int((await tx.fetch(query, feedback_id))[0]["n"])

    assert await notes("已经打过电话。", "已经打过电话。") == 1
    clock.later(minutes=2)
    assert await notes("已经打过电话。", "明天再打。", "已经打过电话。") == 4, "said again later"


async def test_what_somebody_else_said_of_an_incident_meanwhile_is_not_overwritten(
    desk: Desk,
) -> None:
    one = await desk.case()
    incident = await opened(desk, one)
    address = f"/api/incidents/{incident}"
    mark = str(re.findall('name="seen" value="([^"]+)"', await page(desk, incident))[0])
    words = {"text": "配件今天到。", "seen": mark}
    first = await send(desk, f"{address}/explain", words)
    # Sent twice it is the same; from another window, which shows what was true before, it is not.
    assert await send(desk, f"{address}/explain", words) == first
    office = desk.as_("coordinator")
    for action, body in (
        ("explain", {"text": "不知道什么时候好。"}),
        ("reply", {"text": "修好了。", "outcome": "solved"}),
        ("close", {"reason": "好了"}),
    ):
        answer = await office.post(f"{address}/{action}", json=body | {"seen": mark})
        assert (answer.status_code, answer.json()["allowed"]) == (409, ["look"]), action
    await work(desk)
    assert "配件今天到。" in await page(desk, incident)
    now = (await office.get(address)).json()["seen"]
    reply = {"text": "修好了。", "outcome": "solved", "seen": now}
    assert await send(desk, f"{address}/reply", reply) == await send(
        desk, f"{address}/reply", reply
    )
    await work(desk)
    assert (await office.get(f"/api/cases/{one}")).json()["state"] == "REPLIED"


async def test_a_theme_that_was_closed_meanwhile_is_not_opened_by_an_older_page(
    desk: Desk,
) -> None:
    office = desk.as_("coordinator")
    made = (await office.post("/api/themes", json={"title": "空调"})).json()
    where = f"/api/themes/{made['theme_id']}"
    before = {"title": "空调", "status": "open", "seen": made["seen"]}
    shown = (await office.get(f"/desk/themes/{made['theme_id']}")).text
    assert f'name="seen" value="{made["seen"]}"' in shown
    closed = await office.post(where, json=before | {"status": "closed"})
    assert closed.status_code == 200
    stale = await office.post(where, json=before | {"about": "年年夏天"})
    assert stale.status_code == 409
    anew = before | {"about": "年年夏天", "status": "closed", "seen": closed.json()["seen"]}
    assert (await office.post(where, json=anew)).status_code == 200
