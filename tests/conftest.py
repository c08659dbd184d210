"""The real servers, once per test session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from shared.embedded import Servers, start_servers
from shared.messaging.topics import create_topics
from shared.service import Runtime
from tests import support

CORPUS_REPORT = Path(__file__).parents[1] / "build" / "routing-corpus.txt"

# No test depends on speed: how long one example takes, or making one, says how busy the machine is.
# Nor on luck: the examples are the same everywhere. New ones are what `make storm` is for.
settings.register_profile(
    "express",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("express")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How the shipped rules did on the corpus, where that was measured just now."""
    ran = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    if any("routing/test_corpus" in report.nodeid for report in ran) and CORPUS_REPORT.exists():
        terminalreporter.section("routing: letters of the corpus")
        terminalreporter.write(CORPUS_REPORT.read_text(encoding="utf-8"))


@pytest_asyncio.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """PostgreSQL and Kafka with the topics of the system."""
    started = await start_servers(
        tmp_path_factory.mktemp("data"), kafka=True, postgres=True, durable=False
    )
    try:
        assert started.kafka_address is not None
        await create_topics(started.kafka_address)
        yield started
    finally:
        await support.disconnect(started.database_url or "")
        await started.stop()


@pytest_asyncio.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A PostgreSQL server alone, for tests that need no broker."""
    started = await start_servers(
        tmp_path_factory.mktemp("pg"), kafka=False, postgres=True, durable=False
    )
    try:
        yield started.database_url or ""
    finally:
        await support.disconnect(started.database_url or "")
        await started.stop()


@pytest.fixture
def make_runtime(servers: Servers, tmp_path: Path) -> Callable[..., Runtime]:
    """A system on both servers; takes ``clock=`` and settings."""

    def make(**more: Any) -> Runtime:
        assert servers.database_url and servers.kafka_address
        return support.make_runtime(servers.database_url, servers.kafka_address, tmp_path, **more)

    return make


@pytest.fixture
def make_quiet_runtime(postgres: str, tmp_path: Path) -> Callable[..., Runtime]:
    """A system on PostgreSQL alone: entry points and handlers, nothing published."""

    def make(**more: Any) -> Runtime:
        return support.make_runtime(postgres, "127.0.0.1:1", tmp_path, **more)

    return make
