"""The entry point for the clock: forgetting what need not be remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from services.intake import store
from services.intake.deps import Deps
from shared.embeddings import EmbedderAway
from shared.service import Service

EVERY = 600
"""Seconds."""
LOOK_EVERY = 5.0


def forgetting(service: Service) -> Callable[[], Coroutine[Any, Any, None]]:
    """The loop that deletes old keys and nonces."""

    async def forget() -> None:
        while True:
            async with service.transaction() as tx:
                await store.forget_old(tx)
            await asyncio.sleep(EVERY)

    return forget


async def learn_incidents(service: Service[Deps]) -> None:
    """For ever: what open incidents mean, before somebody writes about them."""
    deps = service.deps
    while not deps.meaning.embedder.off:
        with suppress(EmbedderAway):
            await deps.meaning.learn(deps.open_incidents)
        await asyncio.sleep(LOOK_EVERY)
