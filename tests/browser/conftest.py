"""A system for each file, one Chromium for all; a watchful eye over every page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from shared.web.auth import COOKIE
from tests.browser.people import People
from tests.browser.system import System
from tests.browser.watch import Watch
from tests.ground import Ground, ground_for
from tests.patience import PATIENCE

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = 360, 1280

# A page of the staff looks for news every few seconds; nothing here measures how fast.
expect.set_options(timeout=1000 * PATIENCE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says how the system was, since a page shows only that something is amiss."""
    report = yield
    system = getattr(item, "funcargs", {}).get("system")
    if report.when == "call" and report.failed and isinstance(system, System):
        report.sections.append(("the system", system.condition()))
    return report


@pytest_asyncio.fixture(scope="session")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """The servers under all systems."""
    data = tmp_path_factory.mktemp("ground")

    async def set_up(database: str, kafka: str) -> None:
        await System.set_up(data / "first", database, kafka)

    async with ground_for(data, set_up) as ground:
        yield ground


@pytest_asyncio.fixture(scope="module")
async def system(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A library nobody said anything to yet."""
    await ground.clear()
    data = tmp_path_factory.mktemp("system")
    started = await System.start(data, ground.database, ground.kafka)
    try:
        yield started
    finally:
        await started.stop()


@pytest_asyncio.fixture(scope="module")
async def people(system: System) -> People:
    return People(system.url)


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Browse:
    """Opens windows, each with its own cookies, as different people do."""

    browser: Browser
    system: System
    people: People
    watch: Watch
    _open: list[BrowserContext] = field(default_factory=list)

    async def __call__(
        self,
        path: str = "",
        *,
        as_: str | None = None,
        width: int = DESK,
        locale: str = "zh",
        script: bool = True,
        **more: Any,
    ) -> Page:
        """A page at `path`, for the account `as_`, in a window of its own."""
        context = await self.browser.new_context(
            base_url=self.system.url,
            viewport={"width": width, "height": 740 if width == PHONE else 860},
            locale="zh-CN" if locale == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            java_script_enabled=script,
            has_touch=width == PHONE,
            reduced_motion="reduce",
            **more,
        )
        context.set_default_timeout(1000 * PATIENCE)
        self._open.append(context)
        self.watch.over(context)
        if as_:
            cookie = {"name": COOKIE, "value": await self.people.token(as_), "url": self.system.url}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        page = await context.new_page()
        if path.startswith("/track/"):
            await self.people.heard()
        if path:
            await page.goto(path)
        return page

    def expect(self, *words: str) -> None:
        self.watch.expect(*words)

    async def close(self) -> None:
        for context in self._open:
            await context.close()


@pytest_asyncio.fixture
async def browse(chromium: Browser, system: System, people: People) -> AsyncIterator[Browse]:
    """Windows for one test, which fails when anything in them goes wrong."""
    opened = Browse(chromium, system, people, Watch(system.url))
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.watch.unexpected() == []
