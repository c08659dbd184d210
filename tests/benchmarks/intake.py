"""How fast a comment is accepted for good, against no database and against ORM per request."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

from services.intake.app import build
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging.topics import create_topics
from shared.service import Runtime, Service
from tests import support
from tests.benchmarks.load import free_port, run_load
from tests.benchmarks.report import Report, percentile

CONNECTIONS = 64
COUNT = 3_200
BLOCKS = 3
WARM = 640


@dataclass
class Blocks:
    """What was measured of one path, block by block."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    accepted: int = 0


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """A B C D E, A B C D E, … in one invocation on one server process."""
    print(f"\nintake: accepted for good, {CONNECTIONS} connections, {BLOCKS} × {COUNT} requests")
    assert servers.kafka_address
    await create_topics(servers.kafka_address)
    service = await support.prepared(build, runtime)
    port = free_port()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.server",
        str(servers.database_url), servers.kafka_address, str(port),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        token = json.loads(await child.stdout.readline())["token"]
        async with httpx2.AsyncClient(
            trust_env=False, base_url=f"http://127.0.0.1:{port}"
        ) as control:
            bench = _Bench(service, control, port, token)
            found = await bench.run()
    finally:
        child.terminate()
        await child.wait()
        await service.engine.dispose()
    for name, blocks in found.items():
        report.figure(name, blocks.rates, "requests/s")
        report.figure("  cpu of the server", blocks.cpu, "µs")
        report.figure("  p99", blocks.p99, "ms")
    accept, nothing = found["accept"], found["no database"]
    published, wechat = found["accept and publish"], found["accept, WeChat XML"]
    report.ratio("accept / no database", accept.rates, nothing.rates, goal=0.40, fails=0.12)
    report.ratio(
        "accept and publish / no database", published.rates, nothing.rates, goal=0.25, fails=0.07
    )
    report.ratio(
        "accept / ORM per request", accept.rates, found["ORM per request"].rates,
        goal=8, fails=1.5,
    )  # fmt: skip
    report.ratio("WeChat XML / accept", wechat.rates, accept.rates, goal=0.8, fails=0.4)
    report.ratio(
        "accept / no database, cpu", accept.cpu, nothing.cpu, goal=2.5, fails=6, at_most=True
    )


class _Bench:
    def __init__(
        self, service: Service, control: httpx2.AsyncClient, port: int, token: str
    ) -> None:
        self.service, self.control, self.port, self.token = service, control, port, token

    async def run(self) -> dict[str, Blocks]:
        found: dict[str, Blocks] = {}
        while True:
            try:
                await self.control.get("/health/live")
                break
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
        for path in ("/control/nothing", "/control/orm", "/wechat/bench"):
            await self._load(path, WARM)
        warm = (await self._load("/api/feedback", WARM))["accepted"] + WARM
        for _ in range(BLOCKS):
            await self._relay(on=False)
            for name, path, count in (
                ("no database", "/control/nothing", COUNT),
                ("accept", "/api/feedback", COUNT),
                ("ORM per request", "/control/orm", COUNT // 4),
                ("accept, WeChat XML", "/wechat/bench", COUNT),
            ):
                await self._block(found.setdefault(name, Blocks()), path, count)
            await self._relay(on=True)
            await self._drained()
            await self._block(
                found.setdefault("accept and publish", Blocks()), "/api/feedback", COUNT, drain=True
            )
        doors = ("accept", "accept and publish", "accept, WeChat XML")
        answers = warm + sum(found[name].accepted for name in doors)
        rows = await self._count("SELECT count(*) FROM submissions")
        assert rows == answers, f"{rows} rows for {answers} answers"
        letters = await self._count("SELECT count(*) FROM bench_letters")
        assert letters == WARM + found["ORM per request"].accepted
        unsaid = await self._count(
            "SELECT count(*) FROM submissions s WHERE NOT EXISTS (SELECT 1 FROM outbox o "
            "WHERE o.key = s.feedback_id AND o.seq = 1 AND o.published_at IS NOT NULL)"
        )
        assert unsaid == 0, f"{unsaid} comments never reached the log"
        print(f"  {rows} rows and {rows} events in the log for {answers} answers of 2xx")
        return found

    async def _block(self, blocks: Blocks, path: str, count: int, *, drain: bool = False) -> None:
        cpu = await self._cpu()
        done = await self._load(path, count)
        assert done["accepted"] == done["answered"] == count, (path, done["statuses"])
        seconds, started = done["seconds"], time.perf_counter()
        if drain:
            await self._drained()
            seconds += time.perf_counter() - started
        blocks.cpu.append((await self._cpu() - cpu) / count * 1e6)
        blocks.rates.append(count / seconds)
        blocks.p99.append(1000 * percentile(done["times"], 0.99))
        blocks.accepted += done["accepted"]

    async def _load(self, path: str, count: int) -> dict[str, Any]:
        """One block of the load generator."""
        return await run_load(
            {
                "host": "127.0.0.1",
                "port": self.port,
                "path": path,
                "count": count,
                "connections": CONNECTIONS,
                "token": self.token,
                "run": new_id(),
            }
        )

    async def _cpu(self) -> float:
        return float((await self.control.get("/control/cpu")).text)

    async def _relay(self, *, on: bool) -> None:
        await self.control.post("/control/relay", json={"on": on})

    async def _drained(self) -> None:
        while await self._count("SELECT count(*) FROM outbox WHERE published_at IS NULL"):
            await asyncio.sleep(0.02)

    async def _count(self, statement: str) -> int:
        async with self.service.engine.connect() as connection:
            return int((await connection.exec_driver_sql(statement)).scalar_one())
