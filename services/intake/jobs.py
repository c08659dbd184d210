"""The entry point for the clock: forgetting what need not be remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from services.intake import store
from shared.service import Service

EVERY = 600
"""Seconds."""


def forgetting(service: Service) -> Callable[[], Coroutine[Any, Any, None]]:
    """The loop that deletes old keys and nonces."""

    async def forget() -> None:
        while True:
            async with service.transaction() as tx:
                await store.forget_old(tx)
            await asyncio.sleep(EVERY)

    return forget
