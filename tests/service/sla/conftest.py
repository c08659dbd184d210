"""The sla service on a real database, with a clock that moves when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from services.sla.app import build
from shared.service import Runtime, Service
from tests.support import clock_at, prepared


@pytest_asyncio.fixture
async def sla(make_quiet_runtime: Callable[..., Runtime]) -> AsyncIterator[Service]:
    """Wednesday, 4 March 2026, 10:00."""
    service = await prepared(build, make_quiet_runtime(clock=clock_at("2026-03-04 10:00")))
    yield service
