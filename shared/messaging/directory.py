"""Departments, people and what was revoked, as every process knows them.

The directory is a small compacted topic that each process reads from the beginning into memory;
no service has to ask another. Until it is read, the shipped departments stand in.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts import DIRECTORY, Event
from shared.contracts.desk import DepartmentListed, PersonListed, SessionRevoked
from shared.contracts.intake import TokenIssued
from shared.contracts.vocabulary import DEPARTMENTS
from shared.messaging.envelope import InvalidMessage, record_of
from shared.messaging.failures import Backoff
from shared.tasks import end

log = structlog.get_logger()


class Directory:
    """What is known of departments, people, sessions and tokens."""

    def __init__(self) -> None:
        self.loaded = False
        self.departments: dict[str, tuple[str, str]] = dict(DEPARTMENTS)
        self.people: dict[str, PersonListed] = {}
        self.revoked_sessions: dict[str, datetime] = {}
        self.revoked_tokens: set[str] = set()

    def apply(self, event: Event) -> None:
        """Take in one entry; the newest wins."""
        match event:
            case DepartmentListed():
                if event.active:
                    self.departments[event.code] = (event.zh, event.en)
                else:
                    self.departments.pop(event.code, None)
            case PersonListed():
                self.people[event.username] = event
            case SessionRevoked():
                self.revoked_sessions[event.session_id] = event.expires
            case TokenIssued():
                if event.revoked:
                    self.revoked_tokens.add(event.token_id)
            case _:
                pass

    def department_name(self, code: str | None, locale: str = "zh") -> str:
        """What a department is called; the code itself where it is unknown."""
        if code is None:
            return ""
        zh, en = self.departments.get(code, (code, code))
        return en if locale == "en" else zh

    def staff(self, *, role: str | None = None, department: str | None = None) -> list[str]:
        """User names of active people with that role, of that department."""
        return sorted(
            p.username
            for p in self.people.values()
            if p.active
            and (role is None or p.role == role)
            and (department is None or p.department == department)
        )


class DirectoryReader:
    """Keeps a `Directory` current from the topic."""

    def __init__(self, directory: Directory, kafka: str) -> None:
        self.directory = directory
        self._kafka = kafka
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read in the background."""
        self._task = asyncio.create_task(self._run(), name="directory")

    async def stop(self) -> None:
        """Stop reading."""
        await end([self._task])

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._read(backoff)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("directory waits", error=type(error).__name__)
                await asyncio.sleep(backoff.next())

    async def _read(self, backoff: Backoff) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            request_timeout_ms=10_000,
        )
        await consumer.start()
        try:
            while not (numbers := consumer.partitions_for_topic(DIRECTORY)):
                await asyncio.sleep(0.5)
                await consumer._client.force_metadata_update()
            partitions = [TopicPartition(DIRECTORY, n) for n in numbers]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                if not self.directory.loaded:
                    places = [await consumer.position(tp) >= ends[tp] for tp in partitions]
                    self.directory.loaded = all(places)
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    for raw in batch:
                        with contextlib.suppress(InvalidMessage):
                            self.directory.apply(record_of(raw).event())
                backoff.reset()
        finally:
            await consumer.stop()
