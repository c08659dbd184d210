"""Making a backup: six snapshots within a moment, then a dump of each."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.backup.archive import (
    SUFFIX,
    Manifest,
    Places,
    ServicePart,
    beside,
    dump_name,
    fingerprint,
    must_be_new,
    sha256_of,
    write_archive,
)
from shared.backup.errors import BackupError
from shared.backup.tools import Tool, find_tool
from shared.db.address import parse_address
from shared.messaging.offsets import committed_by

if TYPE_CHECKING:
    from shared.service import Service

log = structlog.get_logger()

_NAME = re.compile(r"express-\d{8}T\d{6}Z" + re.escape(SUFFIX))
# One row; the ends as a list, so that the snapshot is asked once.
_STATE = """
SELECT s.cluster_id, s.generation,
  (SELECT version_num FROM alembic_version) AS revision,
  (SELECT count(*) FROM outbox) AS outbox,
  (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS waiting,
  ARRAY(SELECT ROW(topic, partition, "offset") FROM log_ends e
        WHERE e.generation = s.generation) AS ends
FROM log_state s
"""
_EXPORT = "SELECT pg_export_snapshot() AS name, clock_timestamp() AS taken_at"


def file_for(where: Path, now: datetime) -> Path:
    """The file of a backup that is made `now`: `where` itself, or a new one in that folder."""
    if where.suffix == SUFFIX and not where.is_dir():
        return where
    return where / f"express-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"


async def server_version(url: str) -> int:
    """The major version of the server."""
    connection = await parse_address(url).connect(name="express_backup")
    try:
        return int(await connection.fetchval("SHOW server_version_num")) // 10_000
    finally:
        await connection.close()


async def take_backup(
    services: Sequence[Service],
    kafka: str,
    target: Path,
    *,
    report: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Back up the databases of `services` to the file `target`. `BackupError`.

    The services go on running. The snapshots are taken in the order of `services`: whoever reads
    should come before whoever is read, so that what a backup says was taken in is also in it.
    """
    runtime = services[0].runtime
    version = await server_version(runtime.database)
    dump = find_tool("pg_dump", version)
    must_be_new(target)
    read = await _read_by(services, kafka)
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(beside(target))
        connections = []
        for service in services:
            connection = await service.database.connect(name="express_backup", role=service.role)
            stack.push_async_callback(connection.close)
            connections.append(connection)
        await asyncio.gather(*map(_begin, connections))
        # Nothing but this between the first and the last: they lie some milliseconds apart.
        snapshots = [await one.fetchrow(_EXPORT) for one in connections]
        parts = {}
        for service, connection, snapshot in zip(services, connections, snapshots, strict=True):
            parts[service.name] = await _dump(
                dump,
                service,
                connection,
                snapshot,
                folder,
                read.get(service.group, {}),
                version=version,
            )
            report(f"  {service.name}: {parts[service.name].bytes} bytes")
        manifest = Manifest(
            made_at=min(part.taken_at for part in parts.values()),
            server=version,
            code_keys=tuple(fingerprint(key) for key in runtime.settings.code_keys()),
            services=parts,
        )
        await asyncio.to_thread(write_archive, target, manifest, folder)
    return manifest


async def _read_by(services: Sequence[Service], kafka: str) -> dict[str, dict[TopicPartition, int]]:
    """Where the consumers stand. Asked before the snapshots: offsets follow the databases."""
    try:
        return await committed_by(kafka, [service.group for service in services])
    except KafkaError as error:
        # A backup without them is one all the same: the log is then read from its beginning.
        log.warning("the broker is away; no offsets in the backup", error=type(error).__name__)
        return {}


async def _begin(connection: asyncpg.Connection) -> None:
    """Begin a transaction whose snapshot is held until it ends, however long the dumps take."""
    await connection.execute("SET idle_in_transaction_session_timeout = 0")
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


async def _state_of(connection: asyncpg.Connection) -> asyncpg.Record:
    """What the snapshot says of outbox and log; `BackupError` where nothing is set up."""
    try:
        state = await connection.fetchrow(_STATE)
    except asyncpg.UndefinedTableError:
        state = None
    if state is None:
        raise BackupError("the databases are not set up: there is nothing to back up")
    return state


async def _dump(
    tool: Tool,
    service: Service,
    connection: asyncpg.Connection,
    snapshot: asyncpg.Record,
    folder: Path,
    read: dict[TopicPartition, int],
    *,
    version: int,
) -> ServicePart:
    state = await _state_of(connection)
    file = folder / dump_name(service.name)
    role = [f"--role={service.role}"] if service.role else []
    # Whoever restores installs them; the account of the service could not.
    without = [f"--exclude-extension={one}" for one in service.extensions if version >= 17]
    await tool.run(
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot['name']}",
        f"--file={file}",
        *role,
        *without,
        database=service.database,
    )
    # Until here: with the transaction the snapshot ends.
    await connection.execute("ROLLBACK")
    with file.open("rb") as opened:
        checksum = await asyncio.to_thread(sha256_of, opened)
    return ServicePart(
        taken_at=snapshot["taken_at"],
        revision=state["revision"],
        bytes=file.stat().st_size,
        sha256=checksum,
        cluster_id=state["cluster_id"],
        generation=state["generation"],
        ends=_places((TopicPartition(t, p), offset) for t, p, offset in state["ends"]),
        read=_places(read.items()),
        outbox=state["outbox"],
        waiting=state["waiting"],
    )


def _places(offsets: object) -> Places:
    places: Places = {}
    for tp, offset in offsets:  # type: ignore[attr-defined]
        places.setdefault(tp.topic, {})[tp.partition] = offset
    return places


def delete_old(folder: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Delete backups of that folder that are older than `keep`; gives which.

    Only files that are named as a backup is, by the time in their name, and never the newest.
    """
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    deleted = []
    for path in found[:-1]:
        made = datetime.strptime(path.name[8 : -len(SUFFIX)], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if now - made > keep:
            path.unlink()
            deleted.append(path)
    return deleted
