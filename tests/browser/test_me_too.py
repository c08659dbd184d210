"""What many report now is offered while somebody types, and one click says "me too"."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.looks import faults_of
from tests.browser.system import System, until
from tests.browser.windows import PHONE
from tests.patience import ANSWER, plain

TITLE = "五层东区照明故障"


async def opened(browse: Browse, system: System) -> str:
    """An incident of the office, which every process knows by now."""
    token = await browse.people.token("coordinator")
    headers = {"Authorization": f"Bearer {token}"}
    async with plain(base_url=system.url, timeout=ANSWER) as web:
        body = {"title": TITLE, "text": "五层东区的灯在跳闸，电工已经在修。"}
        answer = await web.post("/api/incidents", json=body, headers=headers)
        assert answer.status_code == 201, answer.text

        incident = str(answer.json()["incident_id"])

        async def known() -> bool:
            asked = await web.post("/api/feedback/similar", json={"text": TITLE})
            # It may be asked to slow down, and the one before may not be over everywhere.
            return [one["incident"] for one in asked.json().get("items", [])] == [incident]

        await until(known, what="the incident is listed")
        return incident


async def closed(browse: Browse, system: System, incident: str) -> None:
    token = await browse.people.token("coordinator")
    async with plain(base_url=system.url, timeout=ANSWER) as web:
        answer = await web.post(
            f"/api/incidents/{incident}/close",
            json={"reason": "修好了", "waiting": "go_on"},
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text


async def follows(page: Page) -> None:
    """The tracking page says that many have it, in the library's words."""
    await page.get_by_role("link", name="看进展").click()
    await expect(page).to_have_url(re.compile("/track/"))

    async def said() -> bool:
        await page.reload()
        return TITLE in await page.locator("main").inner_text()

    await until(said, what="the incident is on the tracking page")


async def test_one_click_says_me_too_with_script_and_without(
    browse: Browse, system: System
) -> None:
    incident = await opened(browse, system)
    try:
        page = await browse("/", width=PHONE)
        await expect(page.locator("[data-me-too]")).to_have_count(0)
        await page.locator("#text").press_sequentially("五层东区的灯都不亮了，照明没有人管")
        await expect(page.locator(".alike-one h2")).to_have_text(TITLE)
        assert await faults_of(page) == []
        await page.get_by_role("button", name="我也遇到了").click()
        await expect(page.locator(".said")).to_contain_text(TITLE)
        await follows(page)

        plain = await browse("/", width=PHONE, script=False)
        await plain.fill("#text", "五层太暗了")
        await plain.locator("details.no-js summary").click()
        await plain.get_by_role("button", name="我也遇到了").click()
        await expect(plain.locator(".said")).to_contain_text(TITLE)
        await follows(plain)
    finally:
        await closed(browse, system, incident)


async def test_at_the_counter_one_is_ticked_and_saved_with_the_comment(
    browse: Browse, system: System
) -> None:
    incident = await opened(browse, system)
    try:
        page = await browse("/desk/new", as_="clerk", width=PHONE)
        await page.locator("#text").press_sequentially("五层东区的灯都不亮了，照明没有人管")
        await page.locator(".alike-choose").get_by_label(TITLE).check()
        assert await faults_of(page) == []
        await page.locator("#text").press_sequentially("，读者很急")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#result .said")).to_contain_text(TITLE)
        # Ready for the next, who says something else.
        await expect(page.locator(".alike-choose")).to_have_count(0)

        plain = await browse("/desk/new", as_="clerk", width=PHONE, script=False)
        await plain.fill("#text", "五层太暗了")
        await plain.locator("details.no-js summary").click()
        await plain.get_by_label(TITLE).check()
        await plain.get_by_role("button", name="保存").click()
        await expect(plain.locator("#result .said")).to_contain_text(TITLE)
    finally:
        await closed(browse, system, incident)
