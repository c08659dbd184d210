"""A service: three doors, one memory, one switchboard. Every service is built from this.

`House` is what all services of a process share; `Service` is one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import APIRouter
from sqlalchemy import MetaData, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import BaseRoute

from shared.clock import Clock, SystemClock
from shared.db import migrate
from shared.db.engine import create_engine, database_url, driven, plain_url
from shared.messaging import dead_letters
from shared.messaging.consumer import LogConsumer, log_broker
from shared.messaging.directory import Directory
from shared.messaging.failures import Backoff, is_transient
from shared.messaging.intake import Intake
from shared.messaging.relay import Relay
from shared.messaging.transaction import Transaction, transaction
from shared.security import Signer
from shared.settings import Settings
from shared.tasks import end

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger()

STUCK_AFTER = 10.0
"""Seconds an outbox row may wait, a consumer may fail, before readiness says so."""


@dataclass
class House:
    """What all services of this process share."""

    settings: Settings
    kafka: str
    database: str
    signer: Signer
    clock: Clock = field(default_factory=SystemClock)
    directory: Directory = field(default_factory=Directory)
    replica: str = field(default_factory=socket.gethostname)
    on_wipe: Callable[[str], None] = lambda reason: None


Job = Callable[[], Coroutine[Any, Any, None]]


class Service:
    """One service of the house, with its database, relay, consumer, routes and jobs.

    `tools` is whatever the service's doors work with (a rule set, calendars, outlets); it stands
    in ``tx.tools``. `prepare` is run once before anything starts, to fill it from the database.
    """

    def __init__(
        self,
        name: str,
        house: House,
        *,
        metadata: MetaData,
        migrations: Path,
        intake: Intake,
        tools: Any = None,
        max_records: int = 500,
    ) -> None:
        self.name, self.house, self.intake, self.tools = name, house, intake, tools
        self.metadata, self.migrations = metadata, migrations
        self.routers: list[APIRouter] = []
        self.hot_routes: list[BaseRoute] = []
        self.jobs: dict[str, Job] = {}
        self.seeds: list[Callable[[bool], Awaitable[None]]] = []
        """Load what is shipped (with True: demo people too); called by the set-up."""
        self.starting: list[Callable[[], Awaitable[None]]] = []
        self.stopping: list[Callable[[], Awaitable[None]]] = []
        self.checks: list[Callable[[], str | None]] = []
        self.busy: Callable[[], bool] = lambda: False
        """True while the door has more urgent things to do than the relay."""
        self.max_records = max_records
        self.url: URL = database_url(house.database, name)
        self.group = name
        self.relay: Relay | None = None
        self.consumer: LogConsumer | None = None
        self.role: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._job_errors: dict[str, str] = {}
        self._database_failed: tuple[float, str] | None = None
        self.letters = (0, 0)
        self.running = False
        self.closing = asyncio.Event()
        """Set when the process begins to end: what answers without end (streams) stops now."""
        self._joining: asyncio.Task[None] | None = None
        self._rejoining = asyncio.Lock()
        self.engine = create_engine(self.url, role=None)

    @property
    def engine(self) -> AsyncEngine:
        """The pool of connections to the service's own database."""
        return self._engine

    @engine.setter
    def engine(self, engine: AsyncEngine) -> None:
        self._engine, self._driven = engine, driven(engine)

    # -- life ------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the database as the service's own role; nothing else starts yet."""
        self.role = await migrate.known_role(self.house.database, self.name)
        await self.engine.dispose()
        self.engine = create_engine(self.url, role=self.role)

    async def migrate(self) -> None:
        """Create and migrate the database."""
        await migrate.ensure_database(self.house.database, self.name)
        await self.connect()
        await migrate.upgrade(self.engine, self.migrations, self.metadata)

    async def check_database(self) -> None:
        """Raise `DatabaseNotReady` unless the database stands where this code expects it."""
        await migrate.check(self.engine, self.name, self.migrations, self.metadata)

    async def start(self) -> None:
        """Check the database, then open the doors to the log and the clock."""
        self.closing.clear()
        await self.connect()
        await self.check_database()
        for call in self.starting:
            await call()
        await self._start_relay()
        await self._start_consumer()
        self._spawn("watch", self._watch)
        for name, job in self.jobs.items():
            self._spawn(name, job)
        self.running = True

    async def stop(self) -> None:
        """Close the doors; finished work is committed, the rest is found again later."""
        self.running = False
        self.closing.set()
        await end(self._tasks)
        self._tasks.clear()
        for call in self.stopping:
            await call()
        if self.consumer is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_consumer(), 8)
        if self.relay is not None:
            await self.relay.stop()
        await self.engine.dispose()

    async def _start_relay(self) -> None:
        self.relay = Relay(
            self.name,
            database=plain_url(self.url),
            role=self.role,
            kafka=self.house.kafka,
            on_wipe=self.house.on_wipe,
            busy=self.busy,
        )
        await self.relay.start()

    async def _start_consumer(self, member: str = "") -> None:
        if not self.intake.topics:
            return
        broker = log_broker(self.house.kafka)
        self.consumer = LogConsumer(
            self.name,
            broker=broker,
            intake=self.intake,
            open_transaction=self.transaction,
            group=self.group,
            instance=f"{self.group}-{self.house.replica}{member}",
            max_records=self.max_records,
        )
        self._broker = broker
        self._joining = self._spawn("join", self._join)

    async def rejoin(self, group: str, member: str = "") -> None:
        """Leave the group and join `group`, to go on from its place in the log.

        `member` tells this member from the one it was under the same name.
        """
        async with self._rejoining:
            if self._joining is not None:
                self._joining.cancel()
                await asyncio.gather(self._joining, return_exceptions=True)
            if self.consumer is not None:
                await self._stop_consumer()
            self.group = group
            await self._start_consumer(member)

    async def _join_as_another(self) -> None:
        """Get a share of the log after all.

        A member whose name the group remembers is given what it had, without a look at the topics.
        Had it joined when a wiped broker had no topics yet, that is nothing, for ever.
        """
        log.warning("given nothing to read; joining as another", service=self.name)
        await self.rejoin(self.group, f"-{secrets.token_hex(4)}")

    async def _join(self) -> None:
        """Join the group; a broker that is away must not keep the doors for people shut."""
        backoff = Backoff()
        while True:
            try:
                await self._broker.start()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("cannot join yet", service=self.name, error=type(error).__name__)
                with contextlib.suppress(Exception):
                    await self._broker.stop()
                await asyncio.sleep(backoff.next())
            else:
                return

    async def _stop_consumer(self) -> None:
        assert self.consumer is not None
        await self.consumer.finish()
        await self._broker.stop()

    # -- work ------------------------------------------------------------------------------

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """One unit of work. The door that opens it is the only place that commits."""
        return transaction(self.name, self._driven, self.house.clock, self._news, tools=self.tools)

    def _news(self) -> None:
        if self.relay is not None:
            self.relay.wake()

    def redrive(self, feedback_id: str) -> Any:
        """Replay the dead letters of a case, oldest first."""

        async def apply(tx: Transaction, record: Any) -> None:
            if self.intake.prefetch is not None and record.feedback_id:
                await self.intake.prefetch(tx, [record.feedback_id])
            await self.intake.hand_over(tx, record)

        return dead_letters.redrive(self.transaction, apply, feedback_id)

    # -- health ----------------------------------------------------------------------------

    def reasons(self) -> list[str]:
        """Why this service is not ready; empty when it is."""
        found: list[str] = []
        if not self.running:
            found.append("not started")
        if self._database_failed is not None:
            found.append(f"database: {self._database_failed[1]}")
        if self.relay is not None:
            health = self.relay.health
            if health.oldest_seconds > STUCK_AFTER:
                found.append(
                    f"relay: oldest unpublished fact waits {health.oldest_seconds:.0f} s"
                    + (f" ({health.error})" if health.error else "")
                )
        if self.consumer is not None:
            consumer = self.consumer.health
            now = time.monotonic()
            if consumer.stopped or (
                consumer.failing_since is not None and now - consumer.failing_since > STUCK_AFTER
            ):
                found.append(f"consumer: {consumer.error}")
            elif now - consumer.polled_at > 2 * STUCK_AFTER:
                found.append("consumer: stands still")
            elif not consumer.assigned:
                found.append("consumer: has not joined its group")
        found += [f"{name}: {error}" for name, error in self._job_errors.items()]
        found += [reason for check in self.checks if (reason := check())]
        return found

    async def _watch(self) -> None:
        patience = Backoff(STUCK_AFTER, 600)
        wait = patience.next()
        while True:
            try:
                async with asyncio.timeout(5):
                    async with self.engine.connect() as connection:
                        await connection.execute(text("SELECT 1"))
                    self.letters = await dead_letters.count(self.engine)
            except Exception as error:
                # Readiness is the answer to every failure here.
                self._database_failed = (time.monotonic(), type(error).__name__)
            else:
                self._database_failed = None
            if self.consumer is not None:
                self.consumer.measure_lag()
                if self.consumer.health.assigned:
                    patience.reset()
                    wait = patience.next()
                elif self.consumer.empty_handed_for > wait:
                    wait = patience.next()
                    await self._join_as_another()
            await asyncio.sleep(2)

    def _spawn(self, name: str, job: Job) -> asyncio.Task[None]:
        task = asyncio.create_task(self._keep_running(name, job), name=f"{self.name}.{name}")
        self._tasks.append(task)
        return task

    async def _keep_running(self, name: str, job: Job) -> None:
        backoff = Backoff()
        while True:
            started = time.monotonic()
            try:
                await job()
            except Exception as error:
                # A job that fails is tried again for ever, and readiness says so meanwhile.
                self._job_errors[name] = type(error).__name__
                if time.monotonic() - started > 60:
                    backoff.reset()
                log.error(
                    "job failed",
                    service=self.name,
                    job=name,
                    error=type(error).__name__,
                    exc_info=not is_transient(error),
                )
                await asyncio.sleep(backoff.next())
                self._job_errors.pop(name, None)
            else:
                return
