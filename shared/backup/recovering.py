"""Restoring: the databases, then what the log knows beyond them, then what is missing, in words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

from shared.backup.archive import Archive, ServicePart, fingerprint
from shared.backup.databases import Places, present, put_dump
from shared.backup.errors import BackupError
from shared.backup.taking import server_version
from shared.backup.tools import find_tool
from shared.contracts import EVENTS, INBOUND
from shared.db import revisions
from shared.messaging.directory import DirectoryReader
from shared.messaging.offsets import committed_by, ends_of, set_offsets
from shared.messaging.partitions import PARTITIONS
from shared.messaging.recollecting import LogDisagrees, Recollection, recollect
from shared.messaging.restore import lost_services, restore_log
from shared.messaging.topics import cluster_id, create_topics
from shared.service import Restored

if TYPE_CHECKING:
    from shared.service import Service

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the operator has decided."""

    replace: bool = False
    """The databases may hold something; it is given up."""
    other_keys: bool = False
    """The tracking codes of the backup may be void from now on."""
    whole_log: bool = False
    """The log is read from its beginning: the databases were older than the backup's offsets."""
    send_waiting: bool = False
    """What waited to be sent may go out, although it may have gone out before."""


@dataclass
class Recovery:
    """What was done, and what is missing."""

    made_at: str
    log: str
    """``intact``, or ``sent again``."""
    services: list[Recollection] = field(default_factory=list)

    @property
    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "backup": self.made_at,
            "log": self.log,
            "services": {
                one.service: {
                    "recollected": one.events,
                    "cases": sorted(one.cases),
                    "read_again": one.read,
                    "missing": {what: sorted(of) for what, of in one.missing.items() if of},
                }
                for one in self.services
            },
        }

    def sentences(self) -> list[str]:
        """For the person at the terminal."""
        said = [
            f"{one.service}: {one.events} events of {len(one.cases)} cases from the log, "
            f"{one.read} read again"
            for one in self.services
        ]
        missing = [
            f"  {one.service}: {what}: {', '.join(sorted(of))}"
            for one in self.services
            for what, of in one.missing.items()
            if of
        ]
        return [*said, *(["missing:", *missing] if missing else ["nothing is known to be missing"])]


async def check_choices(services: Sequence[Service], archive: Archive, choices: Choices) -> None:
    """`BackupError` in one sentence unless everything may begin. Nothing is changed."""
    runtime, manifest = services[0].runtime, archive.manifest
    if missing := {s.name for s in services} - manifest.services.keys():
        raise BackupError(f"{archive.path} has no dump of {', '.join(sorted(missing))}")
    for service in services:
        _check_revision(service, manifest.services[service.name])
    own = {fingerprint(key) for key in runtime.settings.code_keys()}
    if manifest.code_keys and not own & set(manifest.code_keys) and not choices.other_keys:
        raise BackupError(
            "EXPRESS_CODE_SECRET (or code-key and secret in EXPRESS_DATA) is not that of the "
            "backup: every tracking code in it would be void. Put the old one back, in a list "
            "after the new one if need be; or say --other-keys"
        )
    found = await present(runtime.database, [s.name for s in services])
    if found.in_use:
        raise BackupError(f"stop all services first: {', '.join(found.in_use)}")
    if found.filled and not choices.replace:
        raise BackupError(
            f"not empty: {', '.join(found.filled)}. Back them up if they are worth it, then say "
            "--replace"
        )


def _check_revision(service: Service, part: ServicePart) -> None:
    if part.revision is not None and part.revision not in revisions.names(service.migrations):
        raise BackupError(
            f"the backup is of a newer release: its {service.name} is at version {part.revision}; "
            "restore it with that release"
        )


async def recover(
    services: Sequence[Service],
    kafka: str,
    archive: Archive,
    choices: Choices,
    *,
    report: Report = lambda _: None,
) -> Recovery:
    """Put a backup back and bring it up to the log. `BackupError`; see the README.

    Until it is complete no service starts on these databases. Where putting the dumps back fails,
    what was there before is there again.
    """
    runtime = services[0].runtime
    await put_back(services, archive, choices, report=report)
    await create_topics(kafka)
    for service in services:
        await service.migrate()
    cluster = await cluster_id(kafka)
    lost = await lost_services(services, kafka)
    if lost:
        await _must_be_ours_or_empty(kafka, cluster, archive)
        report("Kafka does not have what was published: sending it again from the outboxes")
        await restore_log(services, kafka, report=report)
    done = Recovery(archive.manifest.made_at.isoformat(), log="sent again" if lost else "intact")
    async with _directory_of(services):
        for service in services:
            part = archive.manifest.services[service.name]
            known = not lost and part.cluster_id == cluster
            one = await bring_up(service, part if known else None, choices)
            report(f"  {service.name}: {one.events} events made again, {one.read} read again")
            done.services.append(one)
    for service, one in zip(services, done.services, strict=True):
        await set_offsets(kafka, service.group, one.next)
    places = Places(runtime.database, [s.name for s in services])
    await places.finish()
    if choices.replace:
        await places.drop_old()
    return done


async def put_back(
    services: Sequence[Service], archive: Archive, choices: Choices, *, report: Report
) -> None:
    """The dumps into their databases, which are then as they were."""
    runtime = services[0].runtime
    await asyncio.to_thread(archive.verify)
    tool = find_tool("pg_restore", await server_version(runtime.database))
    places = Places(runtime.database, [s.name for s in services])
    if choices.replace:
        await places.clear()
    try:
        for service in services:
            with archive.dump(service.name) as dump:
                await put_dump(
                    tool,
                    runtime.database,
                    service,
                    dump,
                    _progress(service.name, archive.manifest.services[service.name].bytes, report),
                )
    except BaseException:
        if choices.replace:
            await places.give_back()
        raise


def _progress(name: str, size: int, report: Report) -> Callable[[int], None]:
    done, said = 0, -1

    def read(count: int) -> None:
        nonlocal done, said
        done += count
        if (tenth := 10 * done // max(size, 1)) > said:
            said = tenth
            report(f"  {name}: {min(100, 100 * done // max(size, 1))} %")

    return read


async def bring_up(service: Service, part: ServicePart | None, choices: Choices) -> Recollection:
    """One service up to the log. `part` is what the backup knows of this very log, if anything."""
    if service.begin_anew is not None:
        service.group = await service.begin_anew()
        everything = [TopicPartition(t, n) for t in service.subscription.topics for n in _ALL]
        return Recollection(service.name, next=dict.fromkeys(everything, 0))
    for call in service.starting:
        await call()
    try:
        read, taken = {}, None
        if part is not None:
            if not choices.whole_log:
                read = {
                    TopicPartition(topic, n): offset
                    for topic, offsets in part.read.items()
                    for n, offset in offsets.items()
                }
            if not service.acts_outside:
                groups = await committed_by(service.runtime.kafka, [service.group])
                taken = groups[service.group]
        one = await recollect(service, read, taken)
        if part is not None and INBOUND in service.subscription.topics:
            # What others write is known by its own numbers: it is read from where the backup was.
            inbound = [TopicPartition(INBOUND, n) for n in _ALL]
            one.next |= {tp: read.get(tp, 0) for tp in inbound}
        restored = Restored(one.missing, choices.send_waiting)
        for hook in service.restored:
            await hook(restored)
    except LogDisagrees as error:
        raise BackupError(str(error)) from error
    finally:
        for call in service.stopping:
            await call()
    return one


_ALL = range(PARTITIONS)


async def _must_be_ours_or_empty(kafka: str, cluster: str, archive: Archive) -> None:
    """A log of somebody else is never added to."""
    known = {part.cluster_id for part in archive.manifest.services.values()}
    if cluster not in known and any((await ends_of(kafka, [EVENTS])).values()):
        raise BackupError(
            "EXPRESS_KAFKA: another broker than that of the backup answers, and it has a log of "
            f"its own in {EVENTS}. If it is the right one, delete the five topics there first"
        )


@contextlib.asynccontextmanager
async def _directory_of(services: Sequence[Service]) -> AsyncIterator[None]:
    """Departments and people, as handlers need them: read from the log."""
    runtime = services[0].runtime
    reader = DirectoryReader(runtime.directory, runtime.kafka)
    await reader.start()
    try:
        async with asyncio.timeout(60):
            while not runtime.directory.loaded:
                await asyncio.sleep(0.05)
        yield
    finally:
        await reader.stop()


def facts_of(file: Path, archive: Archive) -> list[str]:
    """What is about to be put back."""
    manifest = archive.manifest
    return [
        f"{file}: as of {manifest.made_at:%F %T} UTC, PostgreSQL {manifest.server}",
        *(
            f"  {name}: version {part.revision}, {part.outbox} events, {part.bytes} bytes"
            for name, part in manifest.services.items()
        ),
    ]
