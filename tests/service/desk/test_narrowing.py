"""What a list is narrowed to: a code that was never one is refused, one of before is not."""

from __future__ import annotations

import html
import re

import pytest

from shared.contracts.desk import CategoryListed, DepartmentListed
from shared.web.auth import COOKIE
from tests.service.desk.conftest import Desk

HTML = {"accept": "text/html"}
UNKNOWN = [
    ("department", "没有这个部门", "There is no such department", "space"),
    ("category", "没有这个类别", "There is no such category", "seats"),
    ("channel", "没有这个渠道", "There is no such channel", "wechat"),
    ("state", "没有这个状态", "There is no such state", "TRIAGE"),
    ("queue", "没有这个队列", "There is no such queue", "triage"),
]


@pytest.mark.parametrize("value", ["nope", "ＳＰＡＣＥ", "space,it", "<b>"])
@pytest.mark.parametrize(("name", "zh", "en", "possible"), UNKNOWN)
async def test_a_page_says_that_there_is_no_such_thing_and_leads_on_without_it(
    desk: Desk, name: str, zh: str, en: str, possible: str, value: str
) -> None:
    office = desk.visitor()
    office.cookies.set(COOKIE, desk.token("coordinator"))
    asked = {name: value, "q": "灯"}
    page = await office.get("/desk", params=asked, headers=HTML)
    assert page.status_code == 422
    assert zh in page.text
    assert possible in page.text
    (link,) = re.findall(r'href="([^"]+)">去掉这个条件再看', page.text)
    assert (await office.get(html.unescape(link), headers=HTML)).status_code == 200
    assert name not in link
    assert "q=" in link
    english = await office.get("/desk", params=asked | {"lang": "en"}, headers=HTML)
    assert en in english.text
    assert "Look without this filter" in english.text


@pytest.mark.parametrize("name", [name for name, *_ in UNKNOWN])
async def test_a_program_hears_what_is_possible(desk: Desk, name: str) -> None:
    answer = await desk.as_("coordinator").get(f"/api/cases?{name}=nope")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [name]
    possible = {one: value for one, *_, value in UNKNOWN}[name]
    assert possible in answer.text


async def test_a_program_narrows_by_category_and_channel_too(desk: Desk) -> None:
    seats = await desk.case(category="seats", channel="desk")
    await desk.case(category="facilities")
    office = desk.as_("coordinator")
    for query in ("category=seats", "channel=desk", "category=seats&channel=desk&department="):
        items = (await office.get(f"/api/cases?{query}")).json()["items"]
        assert [one["feedback_id"] for one in items] == [seats], query


async def test_what_was_closed_since_is_still_found_and_called_by_its_name(desk: Desk) -> None:
    directory = desk.service.runtime.directory
    for active in (True, False):
        names = {"code": "annex", "zh": "分馆", "en": "Annex", "active": active}
        now = desk.clock.now()
        directory.apply(DepartmentListed(at=now, **names))
        directory.apply(CategoryListed(at=now, department="space", **names))
    office = desk.as_("coordinator")
    for name in ("department", "category"):
        assert (await office.get(f"/api/cases?{name}=annex")).status_code == 200
        page = await office.get(f"/desk?{name}=annex", headers=HTML)
        assert page.status_code == 200
        assert "分馆" in page.text
    assert "annex" not in directory.departments
    directory.apply(DepartmentListed(at=desk.clock.now(), **(names | {"active": True})))
    assert "annex" in directory.departments
    assert "annex" not in directory.closed_departments
