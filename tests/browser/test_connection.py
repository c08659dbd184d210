"""The server falls silent for a while: a thin line says so, and everything comes back by itself."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.system import System, until


async def test_a_lost_connection_is_said_and_comes_back(browse: Browse, system: System) -> None:
    browse.expect("net::ERR_", "request failed", "htmx:")
    said = await browse.people.say("检索机的键盘少了一个回车键。")
    where = await browse.people.at(said["feedback_id"], "it")
    desk = await browse("/desk?queue=all", as_="coordinator")
    reader = await browse(f"/track/{said['tracking_code']}")
    await expect(reader.locator("#lost")).to_be_hidden()
    system.freeze()
    try:
        # A look that gets no answer, as one is taken every few seconds anyway.
        await reader.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(desk.locator("#lost")).to_be_visible()
        await expect(reader.locator("#lost")).to_be_visible()
        await expect(desk.locator("[data-row]").first).to_be_visible()
    finally:
        system.thaw()
    await expect(desk.locator("#lost")).to_be_hidden()
    await expect(reader.locator("#lost")).to_be_hidden()
    await browse.people.act(f"liaison.{where}", said["feedback_id"], "accept")
    await expect(reader.locator("h1")).to_contain_text("已经接手")


async def test_what_cannot_be_sent_is_said_and_stays_in_the_box(browse: Browse) -> None:
    browse.expect("net::ERR_", "request failed")
    page = await browse("/", own=True)
    await page.fill("#text", "这句话先留着。")
    await page.context.set_offline(True)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("#say [data-problem]")).to_contain_text("您写的字都还在")
    await page.context.set_offline(False)
    await page.locator("#say button.btn-primary").click()
    await expect(page.locator("h1")).to_have_text("谢谢您告诉我们。")


_WATCHED = """
window.streams = [];
window.EventSource = class extends EventSource {
  constructor(address) { super(address); window.streams.push(this); }
};
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.hide = (yes) => { hidden = yes; document.dispatchEvent(new Event("visibilitychange")); };
"""


async def _streams(page: Page, number: int) -> None:
    """Wait until the last of so many streams is open. (`wait_for_function` evaluates on the page
    itself from its second look on, which our pages forbid.)"""

    async def opened() -> bool:
        asked = f"streams.length === {number} && streams[{number - 1}].readyState === 1"
        return bool(await page.evaluate(asked))

    await until(opened, what=f"stream {number} is open")


async def test_a_hidden_page_lets_its_stream_go_and_catches_up_when_shown(browse: Browse) -> None:
    said = await browse.people.say("检索机的鼠标不见了。")
    where = await browse.people.at(said["feedback_id"], "it")
    page = await browse(f"/track/{said['tracking_code']}")
    await page.add_init_script(_WATCHED)
    await page.reload()
    await _streams(page, 1)

    await page.evaluate("hide(true)")
    assert await page.evaluate("streams[0].readyState") == 2
    await browse.people.act(f"liaison.{where}", said["feedback_id"], "accept")

    await page.evaluate("hide(false)")
    await expect(page.locator("h1")).to_contain_text("已经接手")
    await _streams(page, 2)
    await expect(page.locator("#lost")).to_be_hidden()
