"""The whole system as people run it: one process of its own, with demo accounts.

Only its servers are given, so that another system begins as empty as this one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2

from tests.patience import PATIENCE, plain

ROOT = Path(__file__).parents[2]
PASSWORD = "a password for the demo people"
T = TypeVar("T")


@dataclass
class System:
    """A running ``python -m services --demo``."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @staticmethod
    async def set_up(data: Path, database: str, kafka: str) -> None:
        """Databases with everything that is shipped, demo accounts too."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services", "setup", "--demo"],
            cwd=ROOT,
            env=_environment(data, database, kafka),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    async def start(cls, data: Path, database: str, kafka: str) -> System:
        """Start it and wait until every service says that it is ready."""
        system = cls._begin(data, database, kafka)
        try:
            await system.ready()
        except BaseException:
            system.process.kill()
            system.process.wait()
            raise
        return system

    @classmethod
    def _begin(cls, data: Path, database: str, kafka: str) -> System:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        env = _environment(data, database, kafka) | {"EXPRESS_PORT": str(port)}
        data.mkdir(parents=True, exist_ok=True)
        log = data / "said.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "services", "--demo"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        return cls(process, f"http://127.0.0.1:{port}", log)

    async def ready(self) -> None:
        async with plain(timeout=5) as web:

            async def asked() -> bool:
                assert self.alive, f"it ended: {self.tail()}"
                try:
                    return (await web.get(f"{self.url}/health/ready")).status_code == 200
                except httpx2.HTTPError:
                    return False

            await until(asked, what=lambda: f"the system is ready: {self.condition()}")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def freeze(self) -> None:
        """It stops answering, as a server does whose machine hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it the way Ctrl-C and containers do."""
        self.thaw()
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end when asked to: {self.tail()}") from None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def condition(self) -> str:
        """What it says of itself now, and what it wrote last: for the report of a failure."""
        try:
            ready = httpx2.get(f"{self.url}/health/ready", trust_env=False, timeout=5).text
        except httpx2.HTTPError as error:
            ready = f"no answer: {error!r}"
        return f"{ready}\n{self.tail()}"


def _environment(data: Path, database: str, kafka: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EXPRESS_")}
    return kept | {
        "EXPRESS_DATA": str(data),
        "EXPRESS_DATABASE": database,
        "EXPRESS_KAFKA": kafka,
        "EXPRESS_SECRET": "a secret for tests only",
        "EXPRESS_EMBEDDINGS": "off",
        "EXPRESS_DEMO_PASSWORD": PASSWORD,
    }


async def until(
    question: Callable[[], Awaitable[T]],
    *,
    within: float = PATIENCE,
    what: str | Callable[[], str],
) -> T:
    """The first answer of `question` that is not None or False."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if answer := await question():
            return answer
        await asyncio.sleep(0.1)
    said = what if isinstance(what, str) else what()
    raise AssertionError(f"not within {within:.0f} s: {said}")
