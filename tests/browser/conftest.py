"""A system and a Chromium for all files of a worker; a watchful eye over every page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from shared.web.auth import COOKIE
from tests.browser.library import Library
from tests.browser.people import People
from tests.browser.system import System
from tests.browser.watch import Watch
from tests.browser.windows import ARGUMENTS, CHROMIUM, DESK, Window, Windows
from tests.ground import Ground, ground_for
from tests.patience import PATIENCE

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


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(scope="session")
async def library(
    ground: Ground, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Library]:
    library = Library(ground, chromium, tmp_path_factory.mktemp("library"))
    yield library
    await library.close()


@pytest_asyncio.fixture(scope="module")
async def system(request: pytest.FixtureRequest, library: Library) -> System:
    """A library; nobody said anything to it yet where the file says `EMPTY = True`."""
    return await library.running(empty=getattr(request.module, "EMPTY", False))


@pytest_asyncio.fixture(scope="module")
async def people(system: System, library: Library) -> People:
    return library.people(system)


@dataclass
class Browse:
    """Opens windows, each with its own cookies, as different people do."""

    windows: Windows
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
        own: bool = False,
    ) -> Page:
        """A page at `path`, for the account `as_`, in a window that nobody else uses now.

        `own` is for what is done to a window and not to its pages: its clock, its network.
        """
        window = Window(width, locale, script)
        context = await (self.windows.new(window) if own else self.windows.take(window))
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
            await self.windows.give_back(context)
            self.watch.leave(context)


@pytest_asyncio.fixture
async def browse(library: Library, system: System, people: People) -> AsyncIterator[Browse]:
    """Windows for one test, which fails when anything in them goes wrong."""
    opened = Browse(library.windows, system, people, Watch(system.url))
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.watch.unexpected() == []
