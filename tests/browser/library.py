"""The system that the files of a worker use one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser

from tests.browser.people import People
from tests.browser.system import System
from tests.browser.windows import Windows
from tests.ground import Ground


@dataclass
class Library:
    """One system at a time, with the windows that look at it."""

    ground: Ground
    browser: Browser
    data: Path
    _system: System | None = None
    _windows: Windows | None = None
    _tokens: dict[str, str] = field(default_factory=dict)
    _begun: int = 0

    async def running(self, *, empty: bool) -> System:
        """The system: as the files before left it, or one nobody said anything to yet."""
        if self._system is None or empty or not self._system.alive:
            await self.close()
            await self.ground.clear()
            self._begun += 1
            data = self.data / str(self._begun)
            self._system = await System.start(data, self.ground.database, self.ground.kafka)
            self._windows = Windows(self.browser, self._system.url)
        return self._system

    @property
    def windows(self) -> Windows:
        assert self._windows is not None
        return self._windows

    def people(self, system: System) -> People:
        """Whose sessions go on, and who have not said anything yet."""
        return People(system.url, self._tokens)

    async def close(self) -> None:
        """End it, if there is one."""
        system, self._system = self._system, None
        windows, self._windows = self._windows, None
        self._tokens = {}
        if windows is not None:
            await windows.close()
        if system is not None:
            await system.stop()
