"""One computation for all who look at the same, who are told when it moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager

from markupsafe import Markup

from services.tracking.deps.changes import ChangeNotifier, wait
from shared.tasks import end

Parts = Mapping[str, tuple[Markup, str]]
"""Name of a part → (what it says, its hash)."""
Compute = Callable[[], Awaitable[Parts]]
ANEW = 15.0
"""Seconds after which it is computed unasked: time passes, too."""


class Broadcast:
    """What those who look at one thing are shown now."""

    def __init__(self) -> None:
        self.parts: Parts = {}
        self.viewers = 0
        self.computed = 0
        """How often, which says that many viewers cost no more than one."""
        self.over = False
        self.moved = asyncio.Event()
        """Set, and another one put here, whenever something differs; take it before `news_for`."""

    def news_for(self, seen: dict[str, str]) -> dict[str, str]:
        """The parts that differ from those `seen` (name → hash), which is brought up to date."""
        news: dict[str, str] = {
            name: said
            for name, (said, known_by) in self.parts.items()
            if seen.get(name) != known_by
        }
        seen.update((name, self.parts[name][1]) for name in news)
        return news

    async def run(
        self, key: str, changes: ChangeNotifier, closing: asyncio.Event, compute: Compute
    ) -> None:
        """Compute whenever something changes, as long as somebody looks; `Pace` says how often."""
        try:
            with changes.subscribe(key) as changed:
                while not closing.is_set():
                    changed.clear()
                    parts = await compute()
                    self.computed += 1
                    if parts != self.parts:
                        self.parts = parts
                        self._tell()
                    await wait(changed, closing, ANEW)
        finally:
            # Whoever looks goes, and comes back to another one.
            self.over = True
            self._tell()

    def _tell(self) -> None:
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


class Broadcasts:
    """The broadcasts of this process, by what is looked at; one without viewers is over."""

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[Broadcast, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._running)

    @asynccontextmanager
    async def join(
        self,
        what: Hashable,
        key: str,
        changes: ChangeNotifier,
        closing: asyncio.Event,
        compute: Compute,
    ) -> AsyncIterator[Broadcast]:
        """Look at `what`, with others who do; the first one's `compute` is everybody's."""
        running = self._running.get(what)
        if running is None or running[1].done():
            broadcast = Broadcast()
            task = asyncio.create_task(broadcast.run(key, changes, closing, compute))
            running = self._running[what] = (broadcast, task)
        broadcast, task = running
        broadcast.viewers += 1
        try:
            yield broadcast
        finally:
            broadcast.viewers -= 1
            if not broadcast.viewers:
                await end([task])
                if self._running.get(what) == running:
                    del self._running[what]
