"""The server falls silent for a while: a thin line says so, and everything comes back by itself."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Browse
from tests.browser.house import House


async def test_a_lost_connection_is_said_and_comes_back(browse: Browse, house: House) -> None:
    browse.expect("net::ERR_", "request failed", "htmx:")
    said = await browse.people.say("检索机的键盘少了一个回车键。")
    where = await browse.people.at(said["feedback_id"], "it")
    desk = await browse("/desk?queue=all", as_="coordinator")
    reader = await browse(f"/track/{said['tracking_code']}")
    await expect(reader.locator("#lost")).to_be_hidden()
    house.freeze()
    try:
        # A look that gets no answer, as one is taken every few seconds anyway.
        await reader.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(desk.locator("#lost")).to_be_visible(timeout=20_000)
        await expect(reader.locator("#lost")).to_be_visible(timeout=20_000)
        await expect(desk.locator("[data-row]").first).to_be_visible()
    finally:
        house.thaw()
    await expect(desk.locator("#lost")).to_be_hidden(timeout=20_000)
    await expect(reader.locator("#lost")).to_be_hidden(timeout=20_000)
    await browse.people.act(f"liaison.{where}", said["feedback_id"], "accept")
    await expect(reader.locator("h1")).to_contain_text("已经接手")


async def test_what_cannot_be_sent_is_said_and_stays_in_the_box(browse: Browse) -> None:
    browse.expect("net::ERR_", "request failed")
    page = await browse("/")
    await page.fill("#text", "这句话先留着。")
    await page.context.set_offline(True)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#say [data-problem]")).to_contain_text("您写的字都还在")
    await page.context.set_offline(False)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("h1")).to_have_text("谢谢您告诉我们。")
