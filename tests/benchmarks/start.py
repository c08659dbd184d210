"""How long a second start takes, and what the system needs while nobody says anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from services.__main__ import NAMES
from shared.embedded import Servers, start_servers
from shared.service import Runtime
from tests.benchmarks.load import free_port, letter
from tests.benchmarks.processes import cpu_of, family_of, memory_of
from tests.benchmarks.report import Report
from tests.benchmarks.site import PASSWORD, ROOT, SECRET, child, output_of

STARTS = 3
IDLE_SECONDS = 10.0
LETTERS = 100
LETTERS_OF_THE_TESTS = ROOT / "tests" / "unit" / "routing" / "letters.jsonl"


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """The whole as ``make run`` starts it, with its own servers; then each service alone."""
    print(f"\nstart: {STARTS} starts after the first, {IDLE_SECONDS:.0f} s of rest")
    took, together = await _second_starts()
    report.figure("a second start, ready", took, "s")
    report.figure("all six in one process, memory", [together.memory], "MB")
    report.figure("  cpu at rest", [together.cpu], "% of a core")
    report.figure("  PostgreSQL and Kafka at rest", [together.servers], "% of a core")
    report.limit("second start ready", sorted(took)[len(took) // 2], "s", goal=8, fails=60)
    alone = await _apart()
    for name, found in alone.items():
        report.figure(f"{name} alone, memory", [found.memory], "MB")
        report.figure("  cpu at rest", [found.cpu], "% of a core")
        report.figure(f"  after {LETTERS} comments, memory", [found.used], "MB")
    largest = max(found.memory for found in alone.values())
    report.limit("memory of the largest service alone", largest, "MB", goal=110, fails=400)


class AtRest:
    """What a process used while nobody said anything: MB, and percent of one core.

    `used`: MB once the comments of a busy day had come.
    """

    def __init__(self, memory: float, cpu: float, servers: float = 0.0, used: float = 0.0) -> None:
        self.memory, self.cpu, self.servers, self.used = memory, cpu, servers, used


async def _second_starts() -> tuple[list[float], AtRest]:
    took = []
    with tempfile.TemporaryDirectory(prefix="express-bench-", dir="/tmp") as data:
        async with _made_to_run(Path(data)):
            pass
        for n in range(STARTS):
            start = time.perf_counter()
            async with _made_to_run(Path(data)) as pid:
                took.append(time.perf_counter() - start)
                if n == STARTS - 1:
                    (services,) = (p for p in family_of(pid) if _runs_services(p))
                    before = cpu_of(pid), _own_cpu(services)
                    await asyncio.sleep(IDLE_SECONDS)
                    whole, own = cpu_of(pid) - before[0], _own_cpu(services) - before[1]
                    rest = AtRest(memory_of(services), _share(own), _share(whole - own))
    return took, rest


@contextlib.asynccontextmanager
async def _made_to_run(data: Path) -> AsyncIterator[int]:
    """``make run``, until it says that it is ready."""
    port = free_port()
    env = {"EXPRESS_DATA": str(data), "EXPRESS_PORT": str(port), "EXPRESS_DEMO_PASSWORD": PASSWORD}
    process = await asyncio.create_subprocess_exec(
        "make", "-s", "run", cwd=ROOT, env=os.environ | env, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        while not re.search(rf":{port}\b", (line := await process.stdout.readline()).decode()):
            assert line, "make run ended before it was ready"
        async with httpx2.AsyncClient(trust_env=False) as client:
            ready = await client.get(f"http://127.0.0.1:{port}/health/ready")
        assert ready.status_code == 200, ready.text
        yield process.pid
    finally:
        # As Ctrl-C at a terminal: everybody of the session hears it.
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout is not None
        while await process.stdout.read(65536):
            pass
        await process.wait()


def _runs_services(pid: int) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"services" in words and b"-m" in words


def _own_cpu(pid: int) -> float:
    """Seconds of CPU of this process without its children."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _share(seconds: float) -> float:
    return 100 * seconds / IDLE_SECONDS


async def _apart() -> dict[str, AtRest]:
    """Each service in a process of its own, as in a container; all at the same time."""
    with tempfile.TemporaryDirectory(prefix="express-bench-", dir="/tmp") as data:
        servers = await start_servers(Path(data), kafka=True, postgres=True)
        assert servers.database_url
        assert servers.kafka_address
        env = {
            "EXPRESS_DATABASE": servers.database_url,
            "EXPRESS_KAFKA": servers.kafka_address,
            "EXPRESS_DATA": data,
            "EXPRESS_SECRET": SECRET,
            "EXPRESS_DEMO_PASSWORD": PASSWORD,
        }
        try:
            await output_of(sys.executable, "-m", "services", "setup", "--demo", env=env)
            async with contextlib.AsyncExitStack() as stack:
                pids, urls = {}, {}
                for name in NAMES:
                    port = free_port()
                    urls[name] = f"http://127.0.0.1:{port}"
                    process = await stack.enter_async_context(
                        child(
                            sys.executable, "-m", f"services.{name}",
                            cwd=ROOT, env=env | {"EXPRESS_PORT": str(port)},
                            url=f"{urls[name]}/health/ready",
                        )
                    )  # fmt: skip
                    pids[name] = process.pid
                before = {name: _own_cpu(pid) for name, pid in pids.items()}
                await asyncio.sleep(IDLE_SECONDS)
                found = {
                    name: AtRest(memory_of(pid), _share(_own_cpu(pid) - before[name]))
                    for name, pid in pids.items()
                }
                command = (sys.executable, "-m", "services.intake", "token", "bench")
                token = await output_of(*command, env=env)
                await _say(urls["intake"], token.strip())
                await asyncio.sleep(IDLE_SECONDS)
                for name, pid in pids.items():
                    found[name].used = memory_of(pid)
                return found
        finally:
            await servers.stop()


async def _say(intake: str, token: str) -> None:
    """Comments that each say something else, so that each is looked at for what it means."""
    said = [json.loads(line) for line in LETTERS_OF_THE_TESTS.read_text("utf-8").splitlines()]
    async with httpx2.AsyncClient(
        base_url=intake, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as client:
        for number, one in enumerate(said[:LETTERS]):
            body = letter(number, "rest") | {"text": one["text"]}
            answer = await client.post("/api/feedback", json=body)
            answer.raise_for_status()
            await asyncio.sleep(0.1)
