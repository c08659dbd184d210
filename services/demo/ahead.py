"""The vectors of what will be said next, asked for before it is said.

To decide where a comment goes routing asks the model for its vector, one comment after the other,
and a look lasts until it has them all. The model is a process of its own, which is idle between
two looks, and it remembers what it was asked for: so it is asked meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from shared.embeddings import Embedder, EmbedderAway, beginning

AT_MOST = 200
"""So many more than were said: fewer than the model remembers."""
_AT_ONCE = 4
_AWAY = 1.0
"""Seconds after which a model that is away is asked again."""


class Ahead:
    """Texts in the order in which they will be said."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._texts: deque[tuple[str, Callable[[], bool]]] = deque()
        self._asked = self._said = 0
        self._on = asyncio.Event()

    def expect(self, text: str, wanted: Callable[[], bool] = lambda: True) -> None:
        """`text` will be said after all that are expected already, if it is `wanted` by then."""
        self._texts.append((text, wanted))
        self._on.set()

    def said(self) -> None:
        """The next one was said, or will not be."""
        self._said += 1
        self._on.set()

    async def run(self) -> None:
        """Ask, for ever; without a model, nothing."""
        if self._embedder.off or self._embedder.missing:
            return
        while True:
            self._on.clear()
            while self._texts and self._asked < self._said + AT_MOST:
                next_ones = [self._texts.popleft() for _ in range(min(_AT_ONCE, len(self._texts)))]
                self._asked += len(next_ones)
                texts = [beginning("", text) for text, wanted in next_ones if wanted()]
                with suppress(EmbedderAway):
                    await self._embedder.embed(texts)
                if not self._embedder.available:
                    await asyncio.sleep(_AWAY)
            await self._on.wait()
