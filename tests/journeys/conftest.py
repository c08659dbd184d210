"""The whole system in one process, on real servers, with a clock that the story moves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from services.__main__ import builds
from shared.clock import ManualClock
from shared.messaging import dead_letters
from shared.messaging.directory import DirectoryReader
from shared.process import migrate_and_seed
from shared.service import Runtime, Service
from shared.web.app import web_app
from tests import support
from tests.ground import Ground, ground_for
from tests.patience import PATIENCE, Patient

# The platform is away: nothing listens there.
WECHAT = json.dumps(
    [{"account": "main", "appid": "wx1", "token": "tok", "api_base": "http://127.0.0.1:1"}]
)


class Town:
    """The running system, and the people who use it."""

    def __init__(self, runtime: Runtime, services: dict[str, Service], clock: ManualClock) -> None:
        self.runtime, self.services, self.clock = runtime, services, clock
        self.app = web_app(runtime, services, lambda: [])
        self._tokens: dict[str, str] = {}
        self._visitors = 0
        self.onlooker = AIOKafkaConsumer(bootstrap_servers=runtime.kafka)

    def web(self, token: str | None = None) -> httpx2.AsyncClient:
        """A client of the one origin; every visitor has an address of their own."""
        self._visitors += 1
        address = f"10.0.{self._visitors // 250}.{self._visitors % 250 + 1}"
        return httpx2.AsyncClient(
            transport=Patient(httpx2.ASGITransport(self.app, client=(address, 1000))),
            base_url=self.runtime.settings.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    async def as_(self, username: str) -> httpx2.AsyncClient:
        """A signed-in member of staff."""
        return self.web(await self.token(username))

    async def token(self, username: str) -> str:
        """The session of a member of staff, in which they signed in today."""
        known = self._tokens.get(username)
        if known is None or self.runtime.signer.read_session(known, self.clock.now()) is None:
            async with self.web() as visitor:
                answer = await visitor.post(
                    "/api/session", json={"username": username, "password": "test-password"}
                )
            assert answer.status_code == 200, answer.text
            known = self._tokens[username] = answer.json()["token"]
        return known

    async def submit(self, text: str, **more: Any) -> dict[str, Any]:
        """A comment from the web; the answer of the entry point."""
        async with self.web() as visitor:
            answer = await visitor.post("/api/feedback", json={"text": text, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def track(self, code: str) -> dict[str, Any]:
        """What the reporter sees."""
        async with self.web() as visitor:
            answer = await visitor.get(f"/api/track/{code}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def sees_any(self, code: str) -> dict[str, Any]:
        """What the reporter sees once the office has the case."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            seen = await self.track(code)
            if seen["state"] != "RECEIVED":
                return seen
            await asyncio.sleep(0.02)
        raise AssertionError(seen)

    async def sees(self, code: str, state: str) -> dict[str, Any]:
        """What the reporter sees once the case is in `state`."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            async with self.web() as visitor:
                answer = await visitor.get(f"/api/track/{code}")
            if answer.status_code == 200 and answer.json()["state"] == state:
                return dict(answer.json())
            await asyncio.sleep(0.05)
        raise AssertionError(f"never {state}: {answer.text}")

    async def act(self, who: str, feedback_id: str, action: str, **body: Any) -> httpx2.Response:
        """A member of staff does something to a case."""
        async with await self.as_(who) as staff:
            return await staff.post(f"/api/cases/{feedback_id}/{action}", json=body)

    async def later(self, **delta: float) -> None:
        """Time passes, and the production due-statement runs."""
        from services.sla.jobs import mark_due

        self.clock.later(**delta)
        while await mark_due(self.services["sla"]):
            pass

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more."""
        calm, end = 0, time.monotonic() + PATIENCE
        still = 0
        while calm < 2:
            assert time.monotonic() < end, f"{still} events are still on their way"
            still = 0
            for service in self.services.values():
                assert service.relay is not None
                async with service.engine.connect() as connection:
                    still += (
                        await connection.exec_driver_sql(
                            "SELECT count(*) FROM outbox WHERE published_at IS NULL"
                        )
                    ).scalar_one()
                still += await self._unread(service)
            calm = calm + 1 if still == 0 else 0
            await asyncio.sleep(0.1)

    async def _unread(self, service: Service) -> int:
        """Events in the log that a service has not done with: to be fetched, or under way."""
        if service.consumer is None:
            return 0
        # Not by its own connection: there a question waits until the poll before it is over.
        ends = await self.onlooker.end_offsets(list(service.consumer.positions()))
        # Asked for after the ends: what is behind them now is behind for certain.
        done = service.consumer.positions()
        return sum(max(0, end - done.get(tp, 0)) for tp, end in ends.items())

    async def ready(self) -> None:
        """Wait until everybody is ready: who had to wait for the machine says so for a moment."""
        end = time.monotonic() + PATIENCE
        while reasons := self._reasons():
            assert time.monotonic() < end, reasons
            await asyncio.sleep(0.05)

    def _reasons(self) -> list[str]:
        known = [] if self.runtime.directory.people else ["directory: nobody is known yet"]
        return known + [f"{n}: {r}" for n, s in self.services.items() for r in s.reasons()]

    async def sound(self) -> None:
        """Nothing is on its way, nothing was refused or parked, everybody is ready."""
        await self.quiet()
        for name, service in self.services.items():
            assert await dead_letters.count(service.engine) == (0, 0), name
        await self.ready()


@pytest_asyncio.fixture(scope="session")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """The servers under all towns."""
    data: Path = tmp_path_factory.mktemp("ground")

    async def set_up(database: str, kafka: str) -> None:
        runtime = runtime_on(database, kafka, data)
        services = [build(runtime) for build in builds().values()]
        await migrate_and_seed(services, demo=True)
        for service in services:
            await service.engine.dispose()

    async with ground_for(data, set_up) as ground:
        yield ground


@pytest_asyncio.fixture(scope="module")
async def town(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """All six services, with demo people, on a Wednesday at ten, for the stories of one file."""
    await ground.clear()
    runtime = runtime_on(ground.database, ground.kafka, tmp_path_factory.mktemp("town"))
    async with founded(runtime) as town:
        yield town


def runtime_on(database: str, kafka: str, data: Path, **more: Any) -> Runtime:
    """A system on these servers, on a Wednesday at ten."""
    values = {"clock": support.clock_at("2026-03-04 10:00"), "wechat": WECHAT} | more
    return support.make_runtime(database, kafka, data, **values)


@contextlib.asynccontextmanager
async def founded(runtime: Runtime) -> AsyncIterator[Town]:
    """All six services of `runtime`, running on what was set up."""
    services = {name: build(runtime) for name, build in builds().items()}
    reader = DirectoryReader(runtime.directory, runtime.kafka)
    clock = runtime.clock
    assert isinstance(clock, ManualClock)
    try:
        await reader.start()
        await asyncio.gather(*(s.start() for s in services.values()))
        town = Town(runtime, services, clock)
        await town.ready()
        try:
            await town.onlooker.start()
            yield town
        finally:
            await town.onlooker.stop()
    finally:
        await asyncio.gather(*(s.stop() for s in services.values()), return_exceptions=True)
        await reader.stop()
