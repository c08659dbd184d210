"""A system that tests may kill, and the chance that says when."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.embedded import start_servers
from tests.fakes.smtp import smtp_sink
from tests.faults.system import System


@pytest_asyncio.fixture
async def system(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    servers = await start_servers(tmp_path / "servers", kafka=True, postgres=True)
    async with smtp_sink() as sink:
        system = System(servers, tmp_path, sink, apart=getattr(request, "param", "") == "apart")
        try:
            yield system
            await system.end()
        finally:
            for child in system.children.values():
                child.kill()
            await servers.stop()


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 10**9))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)
