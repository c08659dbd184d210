"""Windows of a browser, which different people use one after another."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Page

from tests.patience import PATIENCE

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
"""The engine alone where it is installed: windows without toolbars take a third of the work."""
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


@dataclass(frozen=True)
class Window:
    """How a window is: so wide (px), in which language, with script or without."""

    width: int
    locale: str
    script: bool


@dataclass
class Windows:
    """The windows of one system.

    Whoever gets one finds nothing of what was done in it before. Only the files of the pages are at
    hand: to fetch, read and compile them anew costs more than everything else that a page does.
    """

    browser: Browser
    url: str
    _idle: dict[Window, list[BrowserContext]] = field(default_factory=dict)
    _open: dict[BrowserContext, Window] = field(default_factory=dict)

    async def take(self, window: Window) -> BrowserContext:
        """One that nobody else uses, without a page."""
        idle = self._idle.setdefault(window, [])
        context = idle.pop() if idle else await self.new(window)
        self._open[context] = window
        return context

    async def new(self, window: Window) -> BrowserContext:
        """One that nobody used before nor will afterwards; who asked for it closes it."""
        context = await self.browser.new_context(
            base_url=self.url,
            viewport={"width": window.width, "height": 740 if window.width == PHONE else 860},
            locale="zh-CN" if window.locale == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            java_script_enabled=window.script,
            has_touch=window.width == PHONE,
            reduced_motion="reduce",
        )
        context.set_default_timeout(1000 * PATIENCE)
        return context

    async def give_back(self, context: BrowserContext) -> None:
        """Forget all that was done in it. One of `new` is closed."""
        window = self._open.pop(context, None)
        if window is None:
            await context.close()
            return
        last, *others = context.pages or [await context.new_page()]
        for page in others:
            await page.close()
        await self._forget(last)
        await last.close()
        self._idle[window].append(context)

    async def _forget(self, page: Page) -> None:
        """Cookies, and what pages keep in the browser."""
        # What a page that is left still writes down would come after.
        await page.goto("about:blank")
        chrome = await page.context.new_cdp_session(page)
        kept = {"origin": self.url, "storageTypes": "all"}
        await chrome.send("Storage.clearDataForOrigin", kept)
        await page.context.clear_cookies()

    async def close(self) -> None:
        """For ever."""
        for context in [one for idle in self._idle.values() for one in idle]:
            await context.close()
