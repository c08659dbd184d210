"""The pictures of the README, from a demonstration that runs: ``python -m tests.browser.tour``.

Start ``make demo`` first. It is found by the same settings (``EXPRESS_DATA``,
``EXPRESS_DEMO_PASSWORD``); codes of reporters stand in the messages that it would have sent.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from shared.running import running
from shared.settings import read_settings, refuse
from shared.web.auth import COOKIE
from tests.browser import people
from tests.browser.windows import ARGUMENTS, CHROMIUM, DESK, PHONE

PICTURES = Path(__file__).parent / "pictures"
LETTER = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"


@dataclass
class Tour:
    """Opens pages of a running demonstration, and takes pictures of them."""

    browser: Browser
    url: str
    staff: people.People
    where: Path

    async def page(self, path: str, who: str | None = None, width: int = DESK) -> Page:
        """A page, for an account, as wide as that."""
        context = await self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": 740 if width == PHONE else 860},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        if who:
            cookie = {"name": COOKIE, "value": await self.staff.token(who), "url": self.url}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        page = await context.new_page()
        await page.goto(path)
        return page

    async def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """Write it down, and close the page."""
        if await page.locator("figure[data-chart]").count():
            await page.locator("figure[data-chart] canvas").first.wait_for()
        target = self.where / f"{name}.png"
        await page.screenshot(path=target, full_page=whole, animations="disabled")
        print(target)
        await page.context.close()


async def tour(tour: Tour, codes: list[str]) -> None:
    """The four of the README."""
    said = await tour.page("/", width=PHONE)
    await said.fill("#text", LETTER)
    await said.locator("#say button.btn-primary").click()
    await said.locator(".code").first.wait_for()
    await tour.take(said, "say", whole=True)
    for code in codes[::-1]:
        shown = await tour.staff.track(code)
        if shown["state"] in ("REPLIED", "CLOSED") and shown["replies"]:
            await tour.take(await tour.page(f"/track/{code}", width=PHONE), "track")
            break
    case = await _lively(tour)
    await tour.take(await tour.page(f"/desk/cases/{case}", "coordinator"), "case")
    await tour.take(await tour.page("/dashboard", "leader"), "dashboard")


async def _lively(tour: Tour) -> str:
    """A case of which there is something to tell: the longest among those in somebody's hands."""
    async with tour.staff._web(Authorization=f"Bearer {await tour.staff.token('leader')}") as web:
        found = (await web.get("/api/cases?queue=open&limit=60")).json()["items"]
    cases = [await tour.staff.case("leader", one["feedback_id"]) for one in found]
    best = max((c for c in cases if c), key=lambda case: len(case["timeline"]))
    return str(best["feedback_id"])


async def main(url: str, codes: list[str], where: Path) -> None:
    """Look at the demonstration at `url`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        await tour(Tour(browser, url, people.People(url), where), codes)
        await browser.close()


if __name__ == "__main__":
    settings = read_settings()
    data = settings.data / "demo"
    if not (notes := running(data)):
        refuse("no demonstration runs here: make demo")
    people.PASSWORD = settings.model_copy(update={"data": data}).demo_secret()
    written = (data / "messages.log").read_text("utf-8")
    target = Path(sys.argv[1]) if sys.argv[1:] else PICTURES
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(notes[0]["url"], re.findall(r"/track/([0-9A-Z-]+)", written), target))
