"""The system apart: every service in a process of its own, the shipped gateway before them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from services.__main__ import NAMES
from shared.embedded import Servers
from tests.patience import ANSWER, PATIENCE, plain

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "deploy" / "gateway"
PASSWORD = "a password for the demo people"
ENDS_WITHIN = 60.0
"""Seconds in which a process that is asked to end has ended, also on a busy machine."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


async def until(question: Any, *, within: float, what: str) -> Any:
    """The first answer of `question` that is not None or False."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if answer := await question():
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {within:.0f} s: {what}")


@dataclass
class Child:
    """A process we started, and the file with all it said."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: list[str], log: Path, env: dict[str, str], code: Path = ROOT) -> Child:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            process = subprocess.Popen(
                command, cwd=code, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """What a machine that loses power does to it."""
        self.process.kill()
        self.process.wait()

    def ask_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """The exit status of a process that was asked to end."""
        try:
            return await asyncio.to_thread(self.process.wait, ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still runs after {ENDS_WITHIN} s: {self.tail()}") from None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def rendered(name: str, values: dict[str, str]) -> str:
    """A template of the gateway, filled in as its container does: only GATEWAY_* are touched."""
    text = (GATEWAY / name).read_text()
    for key, value in values.items():
        assert key.startswith("GATEWAY_")
        text = text.replace("${" + key + "}", value)
    left = [line for line in text.splitlines() if "${GATEWAY_" in line]
    assert not left, f"not filled in: {left}"
    return text


@dataclass
class Gateway:
    """A real nginx with the shipped configuration, in a directory of its own."""

    directory: Path
    owners: dict[str, str]
    """Service → host:port."""
    behind: str = "255.255.255.255"
    prefix: str = ""
    port: int = field(default_factory=lambda: free_ports(1)[0])
    child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        assert nginx, "nginx is needed here: apt-get install nginx"
        self._write()
        self.child = Child.start(
            [
                *(nginx, "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")),
                *("-g", "daemon off;" + (" user root;" if os.getuid() == 0 else "")),
            ],
            self.directory / "gateway.log",
            dict(os.environ),
        )

        async def answers() -> bool:
            assert self.child is not None
            assert self.child.alive, self.child.tail()
            with contextlib.suppress(httpx2.TransportError):
                async with plain() as client:
                    return (await client.get(f"{self.url}/health/live")).status_code == 200
            return False

        await until(answers, within=PATIENCE, what="the gateway answers")

    def _write(self) -> None:
        run, extra = (self.directory / name for name in ("run", "extra"))
        for folder in (run, extra):
            folder.mkdir(parents=True, exist_ok=True)
        main = re.sub(r"(?<= )/tmp(?=/)", str(run), (GATEWAY / "nginx.conf").read_text())
        # Files instead of the container's standard output, which a test cannot read back.
        (self.directory / "nginx.conf").write_text(main.replace("/dev/stderr", str(run / "errors")))
        values = {f"GATEWAY_{name.upper()}": at for name, at in self.owners.items()} | {
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_PREFIX": self.prefix,
            "GATEWAY_RESOLVER": "127.0.0.1",
            "GATEWAY_BEHIND": self.behind,
            "GATEWAY_EXTRA": str(extra),
            "GATEWAY_PAGES": str(GATEWAY / "pages"),
        }
        server = rendered("express.conf.template", values)
        (run / "express.conf").write_text(server.replace("/dev/stdout", str(run / "requests")))

    def requests(self) -> list[dict[str, Any]]:
        """The access log so far."""
        path = self.directory / "run" / "requests"
        return [json.loads(line) for line in path.read_text().splitlines()]

    async def stop(self) -> int:
        if self.child is None:
            return 0
        self.child.ask_to_end()
        return await self.child.ended()


class Apart:
    """Six processes on given servers, and the gateway."""

    def __init__(self, directory: Path, servers: Servers, **settings: str) -> None:
        assert servers.database_url
        assert servers.kafka_address
        *own, gateway = free_ports(len(NAMES) + 1)
        self.directory = directory
        self.ports = dict(zip(NAMES, own, strict=True))
        self.gateway = Gateway(
            directory / "gateway", {n: f"127.0.0.1:{p}" for n, p in self.ports.items()}
        )
        self.gateway.port = gateway
        self.kafka = servers.kafka_address
        self.children: dict[str, Child] = {}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("EXPRESS_")} | {
            "EXPRESS_DATA": str(directory / "data"),
            "EXPRESS_EMBEDDINGS": "off",
            "EXPRESS_KAFKA": servers.kafka_address,
            "EXPRESS_DATABASE": servers.database_url,
            "EXPRESS_SECRET": "a secret for tests of the system apart",
            "EXPRESS_DEMO_PASSWORD": PASSWORD,
            "EXPRESS_BASE_URL": self.gateway.url,
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }

    async def run(self, *command: str, code: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """A command of the system, to its end; of the tree in `code`."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", *command],
            cwd=code,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def start(self, *names: str, code: Path = ROOT) -> None:
        for name in names or NAMES:
            self.children[name] = Child.start(
                [sys.executable, "-m", f"services.{name}"],
                self.directory / "logs" / f"{name}.log",
                self.env | {"EXPRESS_PORT": str(self.ports[name])},
                code,
            )

    async def readiness(self, name: str) -> dict[str, Any] | None:
        """What the process of a service says of itself; None while it does not answer."""
        with contextlib.suppress(httpx2.TransportError):
            async with plain() as client:
                answer = await client.get(f"http://127.0.0.1:{self.ports[name]}/health/ready")
                return dict(answer.json())
        return None

    async def ready(self, *names: str) -> None:
        """Wait until these (or all) services are ready."""
        waiting = {name: "no answer" for name in names or NAMES}
        end = time.monotonic() + PATIENCE
        while waiting:
            for name in list(waiting):
                child = self.children[name]
                assert child.alive, f"{name} ended: {child.tail()}"
                body = await self.readiness(name)
                if body and body["ready"]:
                    del waiting[name]
                elif body:
                    waiting[name] = json.dumps([body["reasons"], body["services"]])
            assert time.monotonic() < end, f"not ready: {waiting}"
            await asyncio.sleep(0.1)

    def visitor(self, address: str | None = None, token: str | None = None) -> httpx2.AsyncClient:
        """A client of the one origin, from another loopback address if one is given."""
        return httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(local_address=address, verify=False),
            base_url=self.gateway.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=ANSWER,
        )

    async def stop(self) -> None:
        for child in self.children.values():
            if child.alive:
                child.ask_to_end()
        for child in self.children.values():
            with contextlib.suppress(AssertionError):
                await child.ended()
        with contextlib.suppress(AssertionError):
            await self.gateway.stop()
