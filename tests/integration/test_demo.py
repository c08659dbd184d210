"""A few days of the demonstration, played as people start it, and counted from outside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import EVENTS
from shared.messaging.partitions import PARTITIONS
from tests.patience import ANSWER, plain

ROOT = Path(__file__).parents[2]
CASES = 40
PASSWORD = "a password for the demo people"


class Played:
    """A demonstration that runs, and what it said."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.data, self.said = data, ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str) -> None:
        """Run it until it says where to look."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EXPRESS_")}
        mine = {"DATA": str(self.data), "PORT": self.url.rpartition(":")[2]}
        mine["DEMO_PASSWORD"] = PASSWORD
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services", "demo", *arguments,
            cwd=ROOT,
            env=kept | {f"EXPRESS_{name}": value for name, value in mine.items()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self.said = ""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said += line.decode()
            if "Ctrl-C" in self.said:
                return
        raise AssertionError(f"it ended: {self.said[-3000:]}")

    async def stop(self) -> int:
        """Ctrl-C; the exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        await self.process.communicate()
        return self.process.returncode or 0

    @property
    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "demo" / "demo.json").read_text())
        return found

    async def page(self, path: str) -> str:
        """What a browser is shown there."""
        async with plain(base_url=self.url, timeout=ANSWER) as web:
            return (await web.get(path, headers={"Accept": "text/html"})).text

    async def get(self, path: str, who: str | None = None) -> httpx2.Response:
        async with plain(base_url=self.url, timeout=ANSWER) as web:
            headers = {}
            if who is not None:
                body = {"username": who, "password": PASSWORD}
                token = (await web.post("/api/session", json=body)).json()["token"]
                headers["Authorization"] = f"Bearer {token}"
            return await web.get(path, headers=headers)

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that stands in the log: type and body."""
        kafka = (await self.get("/health/ready")).json()["kafka"]
        reader = AIOKafkaConsumer(bootstrap_servers=kafka)
        await reader.start()
        try:
            reader.assign(tps := [TopicPartition(EVENTS, n) for n in range(PARTITIONS)])
            await reader.seek_to_beginning(*tps)
            ends = await reader.end_offsets(tps)
            found = []
            while any([await reader.position(tp) < ends[tp] for tp in tps]):
                for records in (await reader.getmany(timeout_ms=500)).values():
                    for record in records:
                        kind = dict(record.headers)["ce_type"].decode()
                        found.append((kind, json.loads(record.value)))
            return found
        finally:
            await reader.stop()


@pytest_asyncio.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    demo = Played(tmp_path_factory.mktemp("demo"))
    try:
        await demo.start("--days", "3", "--cases", str(CASES), "--within", "3600")
        yield demo
    finally:
        if demo.process is not None:
            await demo.stop()


async def test_what_was_written_is_what_every_service_has(played: Played) -> None:
    log = await played.events()
    kinds = Counter(kind for kind, _ in log)
    assert kinds["feedback.received.v1"] == CASES == played.kept["counts"]["submitted"]
    shown = (await played.get("/api/cases?queue=all&limit=200", "coordinator")).json()["items"]
    assert {one["feedback_id"] for one in shown} == {
        body["feedback_id"] for kind, body in log if kind == "feedback.received.v1"
    }
    board = (await played.get("/api/dashboard?from=2026-04-20&to=2026-04-22", "leader")).json()
    assert sum(hour["n"] for hour in board["received"]) == CASES
    channels = {body["channel"] for kind, body in log if kind == "feedback.received.v1"}
    assert {"web", "wechat"} <= channels
    assert kinds["sla.breached.v1"] > 0
    assert kinds["case.replied.v1"] > 0
    ready = (await played.get("/health/ready")).json()
    assert ready["ready"], ready
    assert not any(s["dead_letters"] for s in ready["services"].values())


async def test_time_passed_as_it_says(played: Played) -> None:
    """No moment lies outside the days, and each case's moments are in their order."""
    last: dict[str, str] = {}
    for kind, body in await played.events():
        at = body["at"].replace("Z", "+00:00")
        assert "2026-04-19T22" < at < "2026-04-22T09", (kind, at)
        if kind.startswith("case."):
            assert last.get(body["feedback_id"], "") <= at, (kind, body)
            last[body["feedback_id"]] = at


async def test_every_page_says_that_it_is_invented(played: Played) -> None:
    for path in ("/", "/signin", "/track/", "/no-such-page"):
        assert "虚构" in await played.page(path), path
    assert "invented" in await played.page("/?lang=en")


async def test_it_goes_on_from_where_it_was(played: Played) -> None:
    before = played.kept["now"]
    assert await played.stop() == 0
    assert played.kept["now"] >= before
    await played.start()
    assert "接着上次的演示" in played.said
    assert re.search(r"2026-04-22 1[56]:\d\d", played.said)
    assert PASSWORD in played.said
    shown = (await played.get("/api/cases?queue=all&limit=200", "coordinator")).json()["items"]
    assert len(shown) == CASES
