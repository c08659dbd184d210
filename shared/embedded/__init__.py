"""PostgreSQL, Kafka and a model as child processes, for a machine that has none of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.errors import ServerUnavailable
from shared.embedded.jars import fetch_jars
from shared.embedded.java import find_java
from shared.embedded.kafka import EmbeddedKafka, write_archive
from shared.embedded.model import EmbeddedModel, missing
from shared.embedded.postgres import EmbeddedPostgres

__all__ = [
    "EmbeddedKafka",
    "EmbeddedModel",
    "EmbeddedPostgres",
    "ServerUnavailable",
    "Servers",
    "prepare",
    "prepare_model",
    "start_servers",
]


@dataclass(frozen=True)
class Servers:
    """What was started: addresses for clients, and the servers themselves."""

    postgres: EmbeddedPostgres | None
    kafka: EmbeddedKafka | None
    database_url: str | None = None
    kafka_address: str | None = None

    async def stop(self) -> None:
        """Leave both, after everything here that uses them; whoever leaves last stops them."""
        await asyncio.gather(*(server.stop() for server in (self.kafka, self.postgres) if server))


async def start_servers(
    data: Path,
    *,
    kafka: bool,
    postgres: bool,
    durable: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Servers:
    """Start the wanted servers at the same time; when one cannot start, stop the other.

    Raises ServerUnavailable. Without `durable` PostgreSQL does not wait for the disk: for tests.
    """
    database = EmbeddedPostgres(data, durable=durable, say=say) if postgres else None
    broker = EmbeddedKafka(data, say=say) if kafka else None
    starts = [server.start() for server in (database, broker) if server]
    try:
        results = await asyncio.gather(*starts, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
    except BaseException:
        await Servers(database, broker).stop()
        raise
    addresses = [str(result) for result in results]
    return Servers(
        database,
        broker,
        database_url=addresses[0] if database else None,
        kafka_address=addresses[-1] if broker else None,
    )


def prepare(say: Callable[[str], None]) -> None:
    """Fetch what the servers need beforehand. Safe to repeat. Raises ServerUnavailable."""
    java = find_java()
    class_path = fetch_jars(say)
    asyncio.run(write_archive(java, class_path, say))


def prepare_model(say: Callable[[str], None]) -> None:
    """Say it where this machine cannot have the model. Everything works without."""
    if reason := missing():
        say(f"没有语义模型，其余照常 / no model for the meaning of texts, all else works: {reason}")
