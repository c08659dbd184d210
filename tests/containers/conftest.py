"""The shape of production, started once: images, networks, volumes, every container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.containers.engine import Engine
from tests.containers.images import make_base, make_product, make_stand_ins
from tests.containers.project import Project
from tests.fakes.smtp import SmtpSink
from tests.fakes.wechat import FakeWechat
from tests.integration.people import Town
from tests.integration.system import PASSWORD, ROOT, free_ports

WORKSHOP = ROOT / "build" / "containers"
NOT_HERE = frozenset({"prometheus", "grafana"})
"""Debian has no Grafana, and an old Prometheus: their images nobody can make here."""


@dataclass
class Address:
    """Where the gateway is published."""

    url: str


class Deployed:
    """The running project, as the people of the other tests use a system."""

    def __init__(self, project: Project, url: str) -> None:
        self.project = project
        self.gateway = Address(url)

    def visitor(self, address: str | None = None, token: str | None = None) -> httpx2.AsyncClient:
        """A client of the one origin. (The engine shows all clients of this machine as one.)"""
        return httpx2.AsyncClient(
            base_url=self.gateway.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=20,
            trust_env=False,
        )


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    """The project on fresh volumes, with everything that is built; nothing runs yet."""
    engine = Engine(WORKSHOP / "engine")
    base = make_base(engine)
    make_stand_ins(engine, base)
    make_product(engine, "latest", version="this")
    env = WORKSHOP / ".env"
    filled_in(env)
    project = Project(engine, ROOT, env, without=NOT_HERE)
    project.down(volumes=True)
    yield project
    project.down(volumes=True)


def filled_in(env: Path, **more: str) -> None:
    """The example of deploy/, filled in as its comments say."""
    (port,) = free_ports(1)
    given = {
        "EXPRESS_BASE_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_PORT": str(port),
        "GATEWAY_RESOLVER": "172.31.251.1",
        "EXPRESS_SECRET": "0f" * 24,
        "EXPRESS_CODE_SECRET": "1e" * 24,
        "POSTGRES_PASSWORD": "2d" * 24,
        "GRAFANA_PASSWORD": "3c" * 24,
        "EXPRESS_DEMO_PASSWORD": PASSWORD,
        **more,
    }
    lines = (ROOT / "deploy" / ".env.example").read_text().splitlines()
    kept = [line for line in lines if line.partition("=")[0].lstrip("# ") not in given]
    env.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in given.items())]) + "\n")


@pytest.fixture(scope="session")
def town(project: Project) -> Town:
    """The running system with its demo people."""
    project.up()
    project.run("setup", "python", "-m", "services", "setup", "--demo")
    port = project.body["services"]["gateway"]["ports"][0].partition(":")[0]
    system = Deployed(project, f"http://127.0.0.1:{port}")
    return Town(system, SmtpSink(), FakeWechat(apps={}))  # type: ignore[arg-type]
