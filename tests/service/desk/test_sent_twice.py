"""A form that comes twice makes one thing: a double click without script, a page from before."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.service.desk.conftest import Desk
from tests.service.desk.test_incident_pages import BROWSER
from tests.service.desk.test_related import work

MADE = [
    ("/desk/incidents", "/api/incidents", {"title": "空调", "text": "在修。"}, "incidents"),
    ("/desk/themes", "/api/themes", {"title": "空调", "about": "年年夏天"}, "themes"),
    ("/desk/replies", "/api/canned-replies", {"title": "好了", "zh": "修好了。"}, "canned_replies"),
]


async def count(desk: Desk, table: str) -> int:
    async with desk.service.transaction() as tx:
        return int((await tx.fetch(f"SELECT count(*) AS n FROM {table}"))[0]["n"])


async def key_on(desk: Desk, page: str) -> str:
    found = (await desk.as_("coordinator").get(page)).text
    return str(re.findall('name="idempotency_key" value="([^"]+)"', found)[0])


async def send(desk: Desk, address: str, form: dict[str, Any]) -> str:
    answer = await desk.as_("coordinator").post(address, data=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize(("page", "address", "form", "table"), MADE)
async def test_what_is_new_is_made_once(
    desk: Desk, page: str, address: str, form: dict[str, str], table: str
) -> None:
    before = await count(desk, table)
    form = form | {"idempotency_key": await key_on(desk, page)}
    both = await asyncio.gather(*(send(desk, address, form) for _ in range(2)))
    assert both[0] == both[1] == await send(desk, address, form)
    assert await count(desk, table) == before + 1
    # Another title is another thing, and so is the same one from a page that was opened anew.
    assert await send(desk, address, form | {"title": "暖气"}) not in both
    again = form | {"idempotency_key": await key_on(desk, page)}
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
    page = (await desk.as_("coordinator").get(first)).text
    assert "2 / 2" in page
    assert "已经答复过" not in page, "and nobody is told that it failed the second time"
    assert await count(desk, "jobs") == 1
