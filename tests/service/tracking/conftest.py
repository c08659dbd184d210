"""A tracking service on an empty database, a web client for it, and cases to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from services.tracking.app import build
from shared.clock import ManualClock
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests import support


@dataclass
class Web:
    """The service and somebody who asks it."""

    service: Service
    clock: ManualClock
    client: httpx2.AsyncClient
    app: Any

    async def get(self, path: str, *, as_: str | None = None, **more: Any) -> httpx2.Response:
        """GET, signed in as ``role`` or ``role.department``."""
        headers = dict(more.pop("headers", {}))
        if as_ is not None:
            role, _, department = as_.partition(".")
            token, _ = self.service.runtime.signer.session(
                username=as_,
                display=as_,
                role=role,
                department=department or None,
                now=self.clock.now(),
            )
            headers["Authorization"] = f"Bearer {token}"
        return await self.client.get(path, headers=headers, **more)


@pytest_asyncio.fixture
async def web(make_quiet_runtime: Callable[..., Runtime]) -> AsyncIterator[Web]:
    clock = support.clock_at("2026-03-04 10:00")
    service = await support.prepared(build, make_quiet_runtime(clock=clock))
    # Time stands still here; what is gathered while it goes on has tests of its own.
    service.deps.pace_board(timedelta(0))
    app = web_app(service.runtime, {"tracking": service}, list)
    transport = httpx2.ASGITransport(app=app, client=("10.1.2.3", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Web(service, clock, client, app)


@pytest.fixture
def code(web: Web) -> str:
    return web.service.runtime.signer.tracking_code()
