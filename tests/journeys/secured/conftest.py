"""All six services, each with its own account on a broker with passwords; the database by TLS."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
import pytest_asyncio

from services.__main__ import NAMES, builds
from shared.embedded import EmbeddedPostgres
from shared.messaging.directory import DirectoryReader
from shared.process import set_up
from tests import support
from tests.fakes.certificates import Authority
from tests.fakes.kafka import SecuredKafka, rules
from tests.fakes.postgres import DatabaseAddress, reached_by
from tests.journeys.conftest import Town
from tests.patience import PATIENCE

# What has to be escaped in a URL; a broker takes any.
PASSWORDS = {name: f"{name}:p@ss/w?rd&#%" for name in (*NAMES, "setup", "kiosk")}


@dataclass
class Secured:
    """The servers."""

    kafka: SecuredKafka
    database: DatabaseAddress
    authority: Authority
    socket: Path
    """Of the database server, which itself speaks no TLS."""
    data: Path

    @property
    def url(self) -> str:
        """``EXPRESS_DATABASE``: this server alone is trusted."""
        return self.database.url(sslmode="verify-full", sslrootcert=str(self.authority.file))


@pytest_asyncio.fixture(scope="package")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    data = tmp_path_factory.mktemp("secured")
    authority = Authority(data / "authority")
    kafka = SecuredKafka(data, authority, PASSWORDS)
    postgres = EmbeddedPostgres(data)
    try:
        await asyncio.gather(kafka.start(), postgres.start())
        await kafka.grant([*rules("services"), *rules("adapter", "kiosk")])
        socket = Path(unquote(postgres.url.rpartition("host=")[2])) / ".s.PGSQL.5432"
        async with reached_by(socket, authority.issue("postgres", "127.0.0.1")) as database:
            yield Secured(kafka, database, authority, socket, data)
    finally:
        await asyncio.gather(kafka.stop(), postgres.stop())


@pytest_asyncio.fixture(scope="package")
async def guarded_town(secured: Secured) -> AsyncIterator[Town]:
    """The running system."""
    clock = support.clock_at("2026-03-04 10:00")
    setup = secured.kafka.brokers("setup")
    runtime = support.make_runtime(secured.url, setup, secured.data, clock=clock)
    services = {
        name: build(dataclasses.replace(runtime, kafka=secured.kafka.brokers(name)))
        for name, build in builds().items()
    }
    reader = DirectoryReader(runtime.directory, secured.kafka.brokers("tracking"))
    try:
        await set_up(services.values(), setup, demo=True)
        await reader.start()
        await asyncio.gather(*(s.start() for s in services.values()))
        async with asyncio.timeout(PATIENCE):
            while not runtime.directory.people or any(s.reasons() for s in services.values()):
                await asyncio.sleep(0.05)
        town = Town(dataclasses.replace(runtime, kafka=secured.kafka.inner), services, clock)
        await town.onlooker.start()
        yield town
        await town.onlooker.stop()
    finally:
        await asyncio.gather(*(s.stop() for s in services.values()), return_exceptions=True)
        await reader.stop()
