"""The system as ``python -m services --demo`` runs it, in a process of its own, and its people.

Run as a program it is that command with some routes more: ``GET /control/empty`` asks who is signed
in and answers, nothing else. Pages are compared with it. ``POST /control/changes`` lets tracking
take in events one after the other (`coming.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx2
import uvloop
from fastapi import APIRouter, Depends

from services.__main__ import NAMES, builds
from shared.db.address import parse_address
from shared.embedded import Servers, start_servers
from shared.observability import logs
from shared.process import Build, Process
from shared.service import Runtime, Service
from shared.settings import read_settings
from shared.web.auth import Staff, signed_in
from tests.benchmarks.coming import with_changes
from tests.benchmarks.load import free_port
from tests.benchmarks.processes import cpu_of

ROOT = Path(__file__).parents[2]
PASSWORD = "bench-password"
SECRET = "a secret for measuring only"


@dataclass
class Site:
    """A running system. `client` is the coordinator's, `token` theirs, `adapter` an adapter's."""

    servers: Servers
    port: int
    pid: int
    client: httpx2.AsyncClient
    token: str
    adapter: str

    @property
    def database(self) -> str:
        """The URL of its server."""
        assert self.servers.database_url
        return self.servers.database_url

    def cpu(self) -> float:
        """Seconds of CPU so far: the process of the services, and PostgreSQL's."""
        assert self.servers.postgres and self.servers.postgres.pid
        return cpu_of(self.pid) + cpu_of(self.servers.postgres.pid)

    async def as_(self, username: str) -> httpx2.AsyncClient:
        """Another member of staff, signed in."""
        client = httpx2.AsyncClient(base_url=str(self.client.base_url), trust_env=False, timeout=60)
        await _sign_in(client, username)
        return client

    async def quiet(self) -> None:
        """Wait until all that was said has gone through all services, twice in a row."""
        calm = 0
        while calm < 2:
            still = 0
            for name in NAMES:
                address = parse_address(self.database).database(f"express_{name}")
                connection = await address.connect(name="bench")
                still += await connection.fetchval(
                    "SELECT count(*) FROM outbox WHERE published_at IS NULL"
                )
                await connection.close()
            ready = (await self.client.get("/health/ready")).json()["services"]
            still += sum(one["lag"] for one in ready.values())
            calm = 0 if still else calm + 1
            # Lag is measured once a second.
            await asyncio.sleep(1.1 if not still else 0.2)


@contextlib.asynccontextmanager
async def running(servers: Servers, data: Path) -> AsyncIterator[Site]:
    """The whole system with demo accounts, on these servers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    assert servers.database_url
    assert servers.kafka_address
    env = {
        "EXPRESS_DATABASE": servers.database_url,
        "EXPRESS_KAFKA": servers.kafka_address,
        "EXPRESS_PORT": str(port),
        "EXPRESS_DATA": str(data),
        "EXPRESS_SECRET": SECRET,
        "EXPRESS_DEMO_PASSWORD": PASSWORD,
    }
    command = (sys.executable, "-m", "tests.benchmarks.site")
    async with (
        child(*command, cwd=ROOT, env=env, url=f"{url}/health/ready") as process,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        token = await _sign_in(client, "coordinator")
        made = await output_of(sys.executable, "-m", "services.intake", "token", "bench", env=env)
        yield Site(servers, port, process.pid, client, token, made.strip())


@contextlib.asynccontextmanager
async def site_of_its_own() -> AsyncIterator[Site]:
    """The same on servers of its own: one of several systems side by side."""
    with tempfile.TemporaryDirectory(prefix="express-bench-", dir="/tmp") as data:
        servers = await start_servers(Path(data), kafka=True, postgres=True)
        try:
            async with running(servers, Path(data)) as site:
                yield site
        finally:
            await servers.stop()


@contextlib.asynccontextmanager
async def child(
    *command: str, cwd: Path, env: dict[str, str], url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server that answers 200 at `url` before the block begins, and has ended after it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=os.environ | env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            while True:
                assert process.returncode is None, f"{command} ended with {process.returncode}"
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get(url)).status_code == 200:
                        break
                await asyncio.sleep(0.02)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def output_of(*command: str, env: dict[str, str], cwd: Path = ROOT) -> str:
    """What a command prints; AssertionError when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=os.environ | env, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return out.decode()


async def _sign_in(client: httpx2.AsyncClient, username: str) -> str:
    answer = await client.post("/api/session", json={"username": username, "password": PASSWORD})
    token = str(answer.json()["token"])
    client.headers["Authorization"] = f"Bearer {token}"
    return token


def _load() -> dict[str, Build]:
    found = builds()
    return found | {
        "desk": partial(_with_an_empty_route, found["desk"]),
        "tracking": partial(with_changes, found["tracking"]),
    }


def _with_an_empty_route(build: Build, runtime: Runtime) -> Service:
    service = build(runtime)
    router = APIRouter()

    @router.get("/control/empty")
    async def empty(person: Annotated[Staff, Depends(signed_in)]) -> dict[str, str]:
        return {"user": person.username}

    service.routers.append(router)
    return service


if __name__ == "__main__":
    logs.configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        process = Process(read_settings(), _load, whole=True)
        raise SystemExit(runner.run(process.run(setup=True, demo=True)))
