"""How fast a comment is accepted for good, against no database and against ORM per request."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

import httpx2

from services.intake.app import build
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging.topics import create_topics
from shared.service import House
from tests import support
from tests.benchmarks.report import Report, percentile

CONNECTIONS = 64
COUNT = 6_400
BLOCKS = 3


async def run(servers: Servers, house: House, report: Report) -> None:
    """A B C D, A B C D, … in one invocation on one server process."""
    print("\nintake: accept, durable, 64 connections")
    assert servers.kafka_address
    await create_topics(servers.kafka_address)
    service = await support.prepared(build, house)
    port = _free_port()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.server",
        str(servers.database_url), servers.kafka_address, str(port),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        token = json.loads(await child.stdout.readline())["token"]
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                async with httpx2.AsyncClient(trust_env=False) as client:
                    await client.get(f"{url}/health/live")
                break
            except httpx2.HTTPError:
                await asyncio.sleep(0.05)
        found: dict[str, list[dict[str, Any]]] = {}
        await load(port, token, "/control/nothing", 640)
        await load(port, token, "/api/feedback", 640)
        for _ in range(BLOCKS):
            await _relay(url, on=False)
            for name, path, count in (
                ("no database", "/control/nothing", COUNT),
                ("accept", "/api/feedback", COUNT),
                ("orm per request", "/control/orm", COUNT // 4),
            ):
                found.setdefault(name, []).append(await load(port, token, path, count))
            await _relay(url, on=True)
            found.setdefault("accept and publish", []).append(
                await load(port, token, "/api/feedback", COUNT)
            )
            await _drained(service)
        rates = {}
        for name, blocks in found.items():
            assert all(b["accepted"] == b["answered"] for b in blocks), (
                f"{name}: {[b['statuses'] for b in blocks]}"
            )
            rates[name] = report.figure(
                name, [b["answered"] / b["seconds"] for b in blocks], "requests/s"
            )
            report.figure(
                f"{name}, p99", [1000 * percentile(b["times"], 0.99) for b in blocks], "ms"
            )
        async with service.engine.connect() as connection:
            rows = (
                await connection.exec_driver_sql("SELECT count(*) FROM submissions")
            ).scalar_one()
        accepted = 640 + sum(
            b["accepted"] for n in ("accept", "accept and publish") for b in found[n]
        )
        assert rows == accepted, f"{rows} rows for {accepted} answers"
        print(f"  {rows} rows for {accepted} answers of 2xx")
        report.ratio(
            "accept / no database", rates["accept"], rates["no database"],
            goal="≥ 0.40", floor=0.10,
        )  # fmt: skip
        report.ratio(
            "accept and publish / no database", rates["accept and publish"], rates["no database"],
            goal="≥ 0.25", floor=0.05,
        )  # fmt: skip
        report.ratio(
            "accept / orm per request", rates["accept"], rates["orm per request"],
            goal="≥ 12", floor=1.5,
        )  # fmt: skip
    finally:
        child.terminate()
        await child.wait()
        await service.engine.dispose()


async def load(port: int, token: str, path: str, count: int) -> dict[str, Any]:
    """One block of the load generator."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.load",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    order = {
        "host": "127.0.0.1",
        "port": port,
        "path": path,
        "count": count,
        "connections": CONNECTIONS,
        "token": token,
        "run": new_id(),
    }
    out, _ = await child.communicate(json.dumps(order).encode())
    answer: dict[str, Any] = json.loads(out)
    return answer


async def _relay(url: str, *, on: bool) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        await client.post(f"{url}/control/relay", json={"on": on})


async def _drained(service: Any) -> None:
    while True:
        async with service.engine.connect() as connection:
            waiting = await connection.exec_driver_sql(
                "SELECT count(*) FROM outbox WHERE published_at IS NULL"
            )
            if not waiting.scalar_one():
                return
        await asyncio.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
