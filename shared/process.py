"""A running process: servers if none are given, services, one web origin, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Set
from functools import partial
from typing import NoReturn

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from shared.clock import Clock, SystemClock
from shared.db import DatabaseNotReady
from shared.embedded import EmbeddedModel, Servers, ServerUnavailable, start_servers
from shared.embedded.model import missing, socket_of
from shared.embeddings import Embedder, parse_source
from shared.messaging.directory import DirectoryReader
from shared.messaging.failures import cannot_start, is_transient
from shared.messaging.log_state import LogLost
from shared.messaging.restore import lost_services, restore_log
from shared.messaging.topics import create_topics
from shared.messaging.watch import BrokerWatch
from shared.observability import logs
from shared.observability.metrics import REGISTRY, ServiceCollector
from shared.running import note_of
from shared.security import Signer
from shared.service import Runtime, Service
from shared.settings import Check, Settings, check_writable, read_settings, refuse
from shared.tasks import end
from shared.web.app import web_app
from shared.web.protocol import BoundedProtocol

log = structlog.get_logger()

Build = Callable[[Runtime], Service]
Beside = Callable[[FastAPI], Awaitable[None]]

LOG_LOST = 75
"""Exit status: the log was lost; stop all services and run ``restore-log`` (the whole system with
its embedded broker does it by itself)."""


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


@contextlib.asynccontextmanager
async def servers_for(settings: Settings, report: Callable[[str], None] = say):  # type: ignore[no-untyped-def]
    """The addresses ``(database, kafka, servers)``: the given ones, or embedded servers."""
    servers: Servers | None = None
    if not settings.kafka or not settings.database:
        check_writable(settings.data, "or let EXPRESS_KAFKA and EXPRESS_DATABASE name servers")
        servers = await start_servers(
            settings.data, kafka=not settings.kafka, postgres=not settings.database, say=report
        )
    try:
        database = settings.database or (servers and servers.database_url) or ""
        kafka = settings.brokers or (servers and servers.kafka_address) or ""
        yield database, kafka, servers
    finally:
        if servers is not None:
            await servers.stop()


def runtime_for(
    settings: Settings,
    database: str,
    kafka: str,
    *,
    clock: Clock | None = None,
    notice: tuple[str, str] | None = None,
) -> Runtime:
    """The system of this process."""
    return Runtime(
        settings=settings,
        kafka=kafka,
        database=database,
        signer=Signer(settings.signing_keys(), settings.code_keys()),
        embedder=embedder_of(settings),
        clock=clock or SystemClock(),
        notice=notice,
    )


def embedder_of(settings: Settings) -> Embedder:
    """What turns texts into vectors, by the settings."""
    source = parse_source(settings.embeddings)
    if source.kind != "builtin":
        return Embedder(source, key=settings.embeddings_key)
    return Embedder(source, socket=socket_of(settings.data), missing=missing())


async def set_up(services: Iterable[Service], kafka: str, *, demo: bool) -> None:
    """Migrate all databases, create the topics, load what is shipped. Safe to repeat."""
    await asyncio.gather(create_topics(kafka), migrate_and_seed(services, demo=demo))


async def migrate_and_seed(services: Iterable[Service], *, demo: bool) -> None:
    """The databases of a set-up. Tables that are newer than this code are left, and it is said."""
    services = list(services)
    newer = await asyncio.gather(*(s.migrate() for s in services))
    for service, sentence in zip(services, newer, strict=True):
        if sentence:
            say(f"{sentence}; nothing to do")
            continue
        for seed in service.seeds:
            await seed(demo)


class Process:
    """Runs some services of the system behind one origin until it is asked to stop.

    Those of `only_open` answer requests, and do nothing else until somebody calls their `begin`.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], dict[str, Build]],
        *,
        whole: bool,
        make_runtime: Callable[[Settings, str, str], Runtime] = runtime_for,
        only_open: Set[str] = frozenset(),
    ) -> None:
        self.settings, self._load, self.whole = settings, load, whole
        self._make_runtime, self._only_open = make_runtime, only_open
        self._stop = asyncio.Event()
        self._status = 0
        self.services: dict[str, Service] = {}
        self.model: EmbeddedModel | None = None

    async def run(
        self,
        *,
        setup: bool = False,
        demo: bool = False,
        on_ready: Callable[[], None] = lambda: None,
        beside: Beside | None = None,
    ) -> int:
        """Run; the exit status says why it ended.

        `beside` runs from when everything is ready, and is cancelled before anything stops.
        """
        self._listen_for_signals()
        listening = _bind(self.settings)
        # Importing the services takes as long as starting the servers: both at once.
        loading = asyncio.create_task(asyncio.to_thread(self._load))
        try:
            async with (
                servers_for(self.settings) as (database, kafka, servers),
                self._model_ended(),
            ):
                runtime = self._make_runtime(self.settings, database, kafka)
                runtime.on_wipe = self._log_lost
                runtime.stop = self._give_up
                self.services = {name: build(runtime) for name, build in (await loading).items()}
                self._begin_model(runtime)
                if setup or not self.settings.database:
                    await set_up(self.services.values(), kafka, demo=demo)
                await self._mend_log(kafka)
                keeper = asyncio.create_task(_keep_alive(servers))
                try:
                    with note_of(self.settings, self.services):
                        await self._serve(runtime, listening, on_ready, beside)
                finally:
                    keeper.cancel()
        except (ServerUnavailable, DatabaseNotReady) as error:
            print(error, file=sys.stderr)
            return 2
        except Exception as error:
            # A server that is away while we start: whoever started us starts us again.
            if not is_transient(error):
                raise
            print(cannot_start(error), file=sys.stderr)
            return 1
        return self._status

    @property
    def restores(self) -> bool:
        """Whether a lost log is sent again without being asked.

        Only with all services here, so that nothing else writes, and only to the broker that we
        start ourselves: a given one may be the wrong one, and would get everything ever said.
        """
        return self.whole and not self.settings.kafka

    def stop(self) -> None:
        """Begin a clean end."""
        self._stop.set()

    @contextlib.asynccontextmanager
    async def _model_ended(self) -> AsyncIterator[None]:
        """End the embedded model with the block, whenever it was begun."""
        try:
            yield
        finally:
            if self.model is not None:
                await self.model.stop()

    def _begin_model(self, runtime: Runtime) -> None:
        """Start the embedded model beside everything else, where somebody here asks for vectors."""
        wanted = any(service.embeds for service in self.services.values())
        if wanted and runtime.embedder.source.kind == "builtin" and not runtime.embedder.missing:
            self.model = EmbeddedModel(self.settings.data)
            self.model.begin()

    def _log_lost(self, reason: str) -> None:
        log.error("the log was lost", reason=reason)
        print(reason, file=sys.stderr)
        self._status = LOG_LOST
        self._stop.set()

    def _give_up(self, reason: str, status: int) -> None:
        print(f"stopping: {reason}", file=sys.stderr, flush=True)
        self._status = status
        self._stop.set()

    async def _mend_log(self, kafka: str) -> None:
        """Send a lost log again before anything runs, or raise `LogLost` (see `restores`)."""
        for service in self.services.values():
            await service.connect()
            await service.check_database()
        try:
            lost = await lost_services(self.services.values(), kafka)
        except KafkaError as error:
            # People are served all the same; each relay looks again before it sends anything.
            log.warning("the broker is away", error=type(error).__name__)
            return
        if not lost:
            return
        if not self.restores:
            raise next(iter(lost.values()))
        say("Kafka's log is gone; sending it again from the outboxes …")
        await restore_log(self.services.values(), kafka, report=say)

    async def _serve(
        self,
        runtime: Runtime,
        listening: socket.socket,
        on_ready: Callable[[], None],
        beside: Beside | None,
    ) -> None:
        watch = BrokerWatch(runtime.kafka, runtime.on_wipe)
        reader = DirectoryReader(runtime.directory, runtime.kafka)
        app = web_app(runtime, self.services, lambda: self._reasons(watch, reader))
        server = _server(app, self.settings)
        await asyncio.gather(watch.start(), reader.start())
        serving = asyncio.create_task(server.serve([listening]), name="web")
        collector = ServiceCollector(self.services)
        REGISTRY.register(collector)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    while not runtime.directory.loaded:
                        await asyncio.sleep(0.02)
            await asyncio.gather(
                *(
                    service.open() if name in self._only_open else service.start()
                    for name, service in self.services.items()
                )
            )
            _settle_memory()
            announcing = asyncio.create_task(self._announce(on_ready, watch, reader))
            stopping = asyncio.create_task(self._stop.wait())
            tasks = [announcing, stopping]
            if beside is not None:
                running = self._run_beside(partial(beside, app), announcing)
                tasks.insert(0, asyncio.create_task(running, name="beside"))
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
            await end(tasks)
            if serving.done() and not self._stop.is_set():
                self._status = 1
        finally:
            for service in self.services.values():
                service.closing.set()
            server.should_exit = True
            with contextlib.suppress(TimeoutError, asyncio.CancelledError, SystemExit):
                await asyncio.wait_for(serving, 3)
            await asyncio.gather(
                *(s.stop() for s in self.services.values()), return_exceptions=True
            )
            await asyncio.gather(watch.stop(), reader.stop(), return_exceptions=True)
            REGISTRY.unregister(collector)

    async def _announce(
        self, on_ready: Callable[[], None], watch: BrokerWatch, reader: DirectoryReader
    ) -> None:
        while self._reasons(watch, reader) or any(s.reasons() for s in self.services.values()):
            await asyncio.sleep(0.05)
        on_ready()

    async def _run_beside(
        self, work: Callable[[], Awaitable[None]], ready: asyncio.Task[None]
    ) -> None:
        await ready
        try:
            await work()
        except Exception as error:
            log.error("stopping", error=type(error).__name__, exc_info=True)
            self._give_up(f"{type(error).__name__}: {error}", 1)

    def _reasons(self, watch: BrokerWatch, reader: DirectoryReader) -> list[str]:
        if watch.refusal is not None:
            return [f"kafka: {watch.refusal}"]
        if watch.silent_for > 15:
            return [f"kafka: no answer ({watch.error or 'waiting'})"]
        if reader.error is not None:
            return [reader.error]
        return [] if reader.directory.loaded else ["directory: not read yet"]

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)


def serve(name: str, build: Build, *checks: Check) -> NoReturn:
    """Run one service: HTTP, consumer, relay and jobs."""
    settings = read_settings(*checks)
    logs.configure()
    process = Process(settings, lambda: {name: build}, whole=False)
    try:
        status = asyncio.run(process.run(on_ready=lambda: say(f"{name} is ready: {settings.url}")))
    except LogLost as lost:
        print(lost, file=sys.stderr)
        status = LOG_LOST
    raise SystemExit(status)


def _bind(settings: Settings) -> socket.socket:
    """Take the address before anything is started; exit status 2 where somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        refuse(
            f"EXPRESS_HOST, EXPRESS_PORT: cannot listen on {settings.host}:{settings.port} "
            f"({error.strerror}); choose another port, e.g. EXPRESS_PORT={settings.port + 1}"
        )
    return listening


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process ends in its own order."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _server(app: object, settings: Settings) -> _Server:
    return _Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=2,
            # Whose word about the client's address is believed: nobody's, unless it is said.
            proxy_headers=bool(gateways := os.environ.get("FORWARDED_ALLOW_IPS", "").strip()),
            forwarded_allow_ips=gateways,
            backlog=2048,
        )
    )


async def _keep_alive(servers: Servers | None) -> None:
    """Start an embedded server again when it dies."""
    if servers is None:
        return
    while True:
        await asyncio.sleep(1)
        for server in (servers.postgres, servers.kafka):
            if server is not None and server.pid is None:
                log.warning("embedded server died; starting it again", server=type(server).__name__)
                try:
                    await server.start()
                except ServerUnavailable as error:
                    log.error("embedded server does not start", error=str(error))


def _settle_memory() -> None:
    """What was made at start stays: keep the collector away from it (p99 33 → 8 ms).

    What was only read for it goes back to the machine: glibc keeps it otherwise.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
