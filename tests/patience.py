"""How long a test waits for what must come. Nothing here measures how fast anything is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2

PATIENCE = 300.0
"""Seconds after which something is taken never to come: only a test that fails waits for them, so
they are many, for machines that are slow or have much else to do."""
ANSWER = 60.0
"""Seconds for one answer over HTTP, where no other limit is what the test is about."""


def plain(**more: Any) -> httpx2.AsyncClient:
    """A client of servers on this machine: no proxy, and no TLS, whose certificates take longer to
    read than a hundred answers."""
    return httpx2.AsyncClient(trust_env=False, verify=False, **more)


class Patient(httpx2.AsyncBaseTransport):
    """Asks again when it is told that the system is busy (503), as whoever is told so is asked to.

    On a machine with much else to do statements and commits run out of their time.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        end = time.monotonic() + PATIENCE
        repeatable = isinstance(request.stream, httpx2.ByteStream)
        while True:
            answer = await self._inner.handle_async_request(request)
            if answer.status_code != 503 or not repeatable or time.monotonic() > end:
                return answer
            await answer.aclose()
            await asyncio.sleep(0.2)

    async def aclose(self) -> None:
        await self._inner.aclose()
