"""A service: entry points, a database, a relay and a consumer. Every service is built from this.

`Runtime` is what all services of a process share; `Service` is one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import structlog
from fastapi import APIRouter
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import BaseRoute
from typing_extensions import TypeVar

from shared.clock import Clock, SystemClock
from shared.contracts import Event
from shared.db import revisions
from shared.db.databases import ensure_database, known_role
from shared.db.engine import create_engine, database_name, driven, service_address
from shared.db.extensions import install
from shared.db.restored import check_finished
from shared.db.revisions import Fit
from shared.embeddings import Embedder
from shared.messaging import dead_letters
from shared.messaging.consumer import LogConsumer
from shared.messaging.directory import Directory
from shared.messaging.failures import TOO_MANY_REFUSED, Backoff, is_transient
from shared.messaging.foreground import Foreground
from shared.messaging.health import STUCK_AFTER
from shared.messaging.outbox import OutboxState, measure
from shared.messaging.refusals import reason_of
from shared.messaging.relay import Relay
from shared.messaging.seals import Sealer
from shared.messaging.subscription import Subscription
from shared.messaging.transaction import Transaction, transaction
from shared.security import Signer
from shared.settings import Settings
from shared.tasks import end

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger()

Deps = TypeVar("Deps", default=Any)
"""What the entry points of one service work with: a dataclass of its own."""


@dataclass
class Runtime:
    """What all services of this process share."""

    settings: Settings
    kafka: str
    database: str
    signer: Signer
    clock: Clock = field(default_factory=SystemClock)
    directory: Directory = field(default_factory=Directory)
    foreground: Foreground = field(default_factory=Foreground)
    embedder: Embedder = field(default_factory=Embedder)
    replica: str = field(default_factory=socket.gethostname)
    on_wipe: Callable[[str], None] = lambda reason: None
    stop: Callable[[str, int], None] = lambda reason, status: None
    """End the process, for that reason and with that exit status."""
    notice: tuple[str, str] | None = None
    """What every page says on top of itself (Chinese, English)."""
    sealer: Sealer = field(init=False)

    def __post_init__(self) -> None:
        self.sealer = Sealer(self.signer.seal_keys)


@dataclass
class Restored:
    """What a service is told, and adds to, after a backup was put back (see `shared.backup`)."""

    missing: dict[str, set[str]]
    """What cannot be made again → of which cases or accounts."""
    send_waiting: bool = False
    """The operator has decided that what waited to be sent may go out."""


Job = Callable[[], Coroutine[Any, Any, None]]


class Service(Generic[Deps]):
    """One service of the system, with its database, relay, consumer, routes and jobs.

    `deps` is what its entry points work with (a rule set, calendars, transports); it stands in
    ``tx.deps``, and each service's ``deps_of`` gives it back with its type.
    """

    def __init__(
        self,
        name: str,
        runtime: Runtime,
        *,
        metadata: MetaData,
        migrations: Path,
        subscription: Subscription,
        deps: Deps | None = None,
        unhurried: Set[type[Event]] = frozenset(),
        max_records: int = 500,
    ) -> None:
        self.name, self.runtime, self.subscription = name, runtime, subscription
        if deps is not None:
            self.deps: Deps = deps
        self.metadata, self.migrations = metadata, migrations
        self.routers: list[APIRouter] = []
        self.hot_routes: list[BaseRoute] = []
        self.larger_bodies: dict[str, int] = {}
        """Pattern of a path → bytes that a form with files may have there."""
        self.jobs: dict[str, Job] = {}
        self.seeds: list[Callable[[bool], Awaitable[None]]] = []
        """Load what is shipped (with True: demo people too); called by the set-up."""
        self.starting: list[Callable[[], Awaitable[None]]] = []
        self.stopping: list[Callable[[], Awaitable[None]]] = []
        self.restored: list[Callable[[Restored], Awaitable[None]]] = []
        """Called when a backup was put back and the log was read: what else has to be done then."""
        self.begin_anew: Callable[[], Awaitable[str]] | None = None
        """Where all of the database is made of the log: empties it, and gives the group that
        fills it again. Nothing of such a service is read again after a backup was restored."""
        self.acts_outside = False
        """It does what no log can take back: after a backup was restored, all that stands in the
        log is taken for done."""
        self.checks: list[Callable[[], str | None]] = []
        """Each says why the service cannot do its work, or None; readiness then fails."""
        self.notices: list[Callable[[], list[str]]] = []
        """What somebody has to look at, one sentence each; it takes nobody out of service."""
        self.extensions: tuple[str, ...] = ()
        """Extensions of PostgreSQL that set-up installs where it can; it does without them."""
        self.embeds = False
        """It has texts turned into vectors: a process without such a service starts no model."""
        self.busy: Callable[[], bool] = lambda: False
        """True while the entry points have more urgent things to do than the relay."""
        self.max_records = max_records
        self._unhurried = frozenset(event.type for event in unhurried)
        self.database = service_address(runtime.database, name)
        self.group = name
        self.relay: Relay | None = None
        self.consumer: LogConsumer | None = None
        self.role: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._job_errors: dict[str, str] = {}
        self._database_failed: tuple[float, str] | None = None
        self.letters = (0, 0)
        self._waiting_cases: list[str] = []
        self.outbox = OutboxState()
        self._tables_ahead: str | None = None
        self.running = False
        self.closing = asyncio.Event()
        """Set when the process begins to end: what answers without end (streams) stops now."""
        self._joining: asyncio.Task[None] | None = None
        self._rejoining = asyncio.Lock()
        self.engine = create_engine(self.database, name=database_name(name))

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
        self.role = await known_role(self.runtime.database, self.name)
        await self.engine.dispose()
        self.engine = create_engine(self.database, name=database_name(self.name), role=self.role)

    async def migrate(self) -> str | None:
        """Create and migrate the database; a sentence where it is newer than this code."""
        from shared.db.migrate import upgrade  # Alembic, which whoever only serves need not hold

        await ensure_database(self.runtime.database, self.name)
        await self.install_extensions()
        await self.connect()
        patient = create_engine(
            self.database, name=database_name(self.name), role=self.role, command_timeout=None
        )
        try:
            newer = await upgrade(patient, self.name, self.migrations, self.metadata)
        finally:
            await patient.dispose()
        return revisions.ahead(self.name, newer) if newer else None

    async def install_extensions(self) -> None:
        """Install what the service wishes for, as the account of the set-up."""
        if missing := await install(self.runtime.database, self.name, self.extensions):
            log.warning("extensions are missing", service=self.name, **missing)

    async def check_database(self) -> None:
        """Raise `DatabaseNotReady` unless this code works on the database as it stands."""
        standing = await revisions.check(self.engine, self.name, self.migrations)
        newer = revisions.ahead(self.name, standing) if standing.fit is Fit.AHEAD else None
        if newer and newer != self._tables_ahead:
            log.warning(newer, service=self.name)
        self._tables_ahead = newer
        await check_finished(self.engine, self.name)

    async def start(self) -> None:
        """Check the database, then start relay, consumer and jobs."""
        await self.open()
        await self.begin()

    async def open(self) -> None:
        """Check the database; from now on requests are answered, and nothing is done unasked."""
        self.closing.clear()
        await self.connect()
        await self.check_database()
        for call in self.starting:
            await call()
        self._spawn("watch", self._watch)
        self.running = True

    async def begin(self) -> None:
        """Start relay, consumer and jobs."""
        await self._start_relay()
        await self._start_consumer()
        for name, job in self.jobs.items():
            self._spawn(name, job)

    async def stop(self) -> None:
        """Stop jobs, consumer and relay; what is not finished is found again at the next start."""
        self.running = False
        self.closing.set()
        await end(self._tasks)
        self._tasks.clear()
        for call in self.stopping:
            await call()
        if self.consumer is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.consumer.stop(), 9)
        if self.relay is not None:
            await self.relay.stop()
        await self.engine.dispose()

    async def _start_relay(self) -> None:
        self.relay = Relay(
            self.name,
            database=self.database,
            role=self.role,
            kafka=self.runtime.kafka,
            on_wipe=self.runtime.on_wipe,
            busy=self.busy,
        )
        await self.relay.start()

    async def _start_consumer(self, member: str = "") -> None:
        if not self.subscription.topics:
            return
        self.consumer = LogConsumer(
            self.name,
            kafka=self.runtime.kafka,
            subscription=self.subscription,
            open_transaction=self.transaction,
            group=self.group,
            instance=f"{self.group}-{self.runtime.replica}{member}",
            on_stop=lambda reason: self.runtime.stop(f"{self.name}: {reason}", TOO_MANY_REFUSED),
            max_records=self.max_records,
            foreground=self.runtime.foreground,
        )
        self._joining = self._spawn("join", self._join)

    async def rejoin(self, group: str, member: str = "") -> None:
        """Leave the group and join `group`, to go on from its offsets in the log.

        `member` distinguishes this member from the one it was under the same name.
        """
        async with self._rejoining:
            if self._joining is not None:
                self._joining.cancel()
                await asyncio.gather(self._joining, return_exceptions=True)
            if self.consumer is not None:
                await self.consumer.stop()
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
        """Join the group; a broker that is away must not keep people from being served."""
        assert self.consumer is not None
        backoff = Backoff()
        while True:
            try:
                await self.consumer.start()
            except Exception as error:
                if not is_transient(error):
                    raise
                self.consumer.health.error = reason_of(error)
                log.warning("cannot join yet", service=self.name, error=type(error).__name__)
                await asyncio.sleep(backoff.next())
            else:
                self.consumer.health.error = None
                return

    # -- work ------------------------------------------------------------------------------

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """One unit of work. The entry point that opens it is the only place that commits."""
        return transaction(
            self.name,
            self._driven,
            self.runtime.clock,
            self._news,
            deps=self.deps,
            sealer=self.runtime.sealer,
        )

    def _news(self, types: Set[str]) -> None:
        if self.relay is not None:
            self.relay.wake(hurried=not types <= self._unhurried)
            self.runtime.foreground.announce(types)

    def redrive(
        self, feedback_id: str, *, past_gaps: bool = False, passing_over: str | None = None
    ) -> AsyncIterator[dead_letters.Redriven]:
        """Take the dead letters of a case in again, oldest first."""
        return dead_letters.redrive(
            self.transaction,
            self.subscription.apply_letter,
            feedback_id,
            past_gaps=past_gaps,
            passing_over=passing_over,
        )

    # -- health ----------------------------------------------------------------------------

    def reasons(self) -> list[str]:
        """Why this service is not ready; empty when it is."""
        found: list[str] = []
        if not self.running:
            found.append("not started")
        if self._database_failed is not None:
            found.append(f"database: {self._database_failed[1]}")
        if self.relay is not None and self.outbox.oldest_seconds > STUCK_AFTER:
            error = self.relay.health.error
            found.append(
                f"relay: oldest unpublished event waits {self.outbox.oldest_seconds:.0f} s"
                + (f" ({error})" if error else "")
            )
        if self.consumer is not None:
            found += self.consumer.reasons()
        found += [f"{name}: {error}" for name, error in self._job_errors.items()]
        found += [reason for check in self.checks if (reason := check())]
        return found

    def warnings(self) -> list[str]:
        """What somebody has to look at, although the service does its work."""
        found = [warning for notice in self.notices for warning in notice()]
        if self._tables_ahead:
            found.append(self._tables_ahead)
        if any(self.letters):
            found.append(dead_letters.warning(self.name, *self.letters, self._waiting_cases))
        if self.outbox.refused:
            found.append(
                f"outbox: {self.outbox.refused} rows refused by the broker, {self.outbox.held} "
                "wait behind them; mend the cause, then: "
                f"python -m services.{self.name} send-again"
            )
        return found

    async def _watch(self) -> None:
        rejoining = Backoff(STUCK_AFTER, 600)
        wait = rejoining.next()
        while True:
            try:
                async with asyncio.timeout(5):
                    self.letters = await dead_letters.count(self.engine)
                    self._waiting_cases = await dead_letters.waiting_cases(self.engine)
                    # Not by the relay: a stuck one cannot report itself.
                    self.outbox = await measure(self.engine)
            except Exception as error:
                # Readiness is the answer to every failure here.
                self._database_failed = (time.monotonic(), type(error).__name__)
            else:
                self._database_failed = None
            if self.consumer is not None:
                self.consumer.measure_lag()
                if self.consumer.health.assigned:
                    rejoining.reset()
                    wait = rejoining.next()
                elif self.consumer.empty_handed_for > wait:
                    wait = rejoining.next()
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
                if not self.running:
                    # The driver may turn a cancellation into an error of its own.
                    return
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
