"""The pages and programs' entry points of four services on one origin, over ASGI."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from services.desk.app import build as build_desk
from services.desk.seeds import seed_demo_people, seed_departments
from services.intake.app import build as build_intake
from services.routing.app import build as build_routing
from services.tracking.app import build as build_tracking
from shared.service import Runtime
from shared.web.app import web_app
from tests.support import prepared

RIGHT = {"username": "coordinator", "password": "test-password"}

Open = Callable[..., contextlib.AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def opened(make_quiet_runtime: Callable[..., Runtime]) -> Open:
    """``async with opened(base_url, **headers) as visitor``: the system behind that address."""

    @contextlib.asynccontextmanager
    async def at(base_url: str, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
        runtime = make_quiet_runtime(base_url=base_url)
        services = {}
        for build in (build_intake, build_desk, build_routing, build_tracking):
            service = await prepared(build, runtime)
            services[service.name] = service
        await seed_departments(services["desk"])
        await seed_demo_people(services["desk"])
        await services["intake"].starting[0]()
        app = web_app(runtime, services, lambda: [])
        transport = httpx2.ASGITransport(app=app, client=("10.0.0.9", 1))
        async with httpx2.AsyncClient(
            transport=transport, base_url=base_url, headers=headers
        ) as visitor:
            yield visitor
        await services["intake"].stopping[0]()

    return at
