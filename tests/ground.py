"""Servers that last as long as the tests, and on them one system after another, each as new.

A system that several test files used would hold what the files before left in it, and which those
were depends on how fast a machine is. Founding one for each file costs little here: databases are
copied from those of the first set-up, and topics are made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.__main__ import NAMES
from shared.db.address import parse_address
from shared.db.engine import database_name
from shared.embedded import Servers, start_servers
from shared.messaging.offsets import ends_of
from shared.messaging.topics import TOPICS, create_topics
from tests.patience import PATIENCE

_KEPT = "kept_"
# A connection that was closed may take a moment to be gone.
_LEFT = (
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
    "WHERE datname = '{name}' AND backend_type = 'client backend'"
)


@dataclass
class Ground:
    """Two servers, and the databases of a system that was set up and that nobody used yet."""

    servers: Servers
    set_up: Callable[[str, str], Awaitable[None]]
    """Migrates and fills all databases of a PostgreSQL (URL) with a Kafka beside it (address),
    and has closed its connections when it is done."""
    _prepared: bool = False

    @property
    def database(self) -> str:
        """The URL of PostgreSQL."""
        assert self.servers.database_url
        return self.servers.database_url

    @property
    def kafka(self) -> str:
        """``host:port`` of the broker."""
        assert self.servers.kafka_address
        return self.servers.kafka_address

    async def clear(self) -> None:
        """Set up, and nothing else: no comment, no event, no place where anybody stood in the log.

        Nobody may be connected to a database of a service, nor read or write a topic.
        """
        if self._prepared:
            await self._remove_topics()
        else:
            await self.set_up(self.database, self.kafka)
            await self._each(_LEFT, 'ALTER DATABASE "{name}" RENAME TO "{kept}"')
            self._prepared = True
        await self._each(
            'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
            'CREATE DATABASE "{name}" OWNER "{name}" TEMPLATE "{kept}"',
            'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC',
            'GRANT CONNECT ON DATABASE "{name}" TO "{name}"',
        )
        await create_topics(self.kafka)
        await self._empty()

    async def _each(self, *statements: str) -> None:
        connection = await parse_address(self.database).connect(name="ground")
        try:
            for name in map(database_name, NAMES):
                for statement in statements:
                    await connection.execute(statement.format(name=name, kept=_KEPT + name))
        finally:
            await connection.close()

    async def _remove_topics(self) -> None:
        """With what groups remember of them."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.delete_topics(list(TOPICS), timeout_ms=60_000)
        finally:
            await admin.close()

    async def _empty(self) -> None:
        """Wait until the broker itself has the new topics, which hears of them a moment later."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(KafkaError):
                    if not any((await ends_of(self.kafka, TOPICS)).values()):
                        return
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def ground_for(
    data: Path, set_up: Callable[[str, str], Awaitable[None]]
) -> AsyncIterator[Ground]:
    """Both servers with their data in `data`, for the length of a block."""
    # Whoever pulls plugs has servers of their own.
    servers = await start_servers(data, kafka=True, postgres=True, durable=False)
    try:
        yield Ground(servers, set_up)
    finally:
        await servers.stop()
