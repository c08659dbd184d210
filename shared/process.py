"""A running process: servers if none are given, services, one web origin, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable

import structlog
import uvicorn
from aiokafka.errors import KafkaError

from shared.db.engine import DatabaseNotReady
from shared.embedded import Servers, ServerUnavailable, start_servers
from shared.messaging.directory import DirectoryReader
from shared.messaging.failures import is_transient
from shared.messaging.relay import LogLost
from shared.messaging.restore import lost_services, restore_log
from shared.messaging.topics import create_topics
from shared.messaging.watch import BrokerWatch
from shared.observability.metrics import REGISTRY, ServiceCollector
from shared.running import note_of
from shared.security import Signer
from shared.service import House, Service
from shared.settings import Settings, refuse
from shared.web.app import web_app
from shared.web.protocol import BoundedProtocol

log = structlog.get_logger()

Build = Callable[[House], Service]

LOG_LOST = 75
"""Exit status: the log was lost; start again (all services together restore it by themselves)."""


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


@contextlib.asynccontextmanager
async def servers_for(settings: Settings, tell: Callable[[str], None] = say):  # type: ignore[no-untyped-def]
    """The addresses ``(database, kafka, servers)``: the given ones, or embedded servers."""
    servers: Servers | None = None
    if not settings.kafka or not settings.database:
        servers = await start_servers(
            settings.data, kafka=not settings.kafka, postgres=not settings.database, say=tell
        )
    try:
        database = settings.database or (servers and servers.database_url) or ""
        kafka = settings.kafka or (servers and servers.kafka_address) or ""
        yield database, kafka, servers
    finally:
        if servers is not None:
            await servers.stop()


def house_for(settings: Settings, database: str, kafka: str) -> House:
    """The house of this process."""
    return House(
        settings=settings,
        kafka=kafka,
        database=database,
        signer=Signer(settings.signing_secret()),
    )


async def set_up(services: Iterable[Service], kafka: str, *, demo: bool) -> None:
    """Migrate all databases, create the topics, load what is shipped. Safe to repeat."""
    services = list(services)
    await asyncio.gather(create_topics(kafka), *(s.migrate() for s in services))
    for service in services:
        for seed in service.seeds:
            await seed(demo)


class Process:
    """Runs some services of the house behind one origin until it is told to stop."""

    def __init__(
        self, settings: Settings, load: Callable[[], dict[str, Build]], *, whole: bool
    ) -> None:
        self.settings, self._load, self.whole = settings, load, whole
        self._stop = asyncio.Event()
        self._status = 0
        self.services: dict[str, Service] = {}

    async def run(
        self,
        *,
        setup: bool = False,
        demo: bool = False,
        on_ready: Callable[[], None] = lambda: None,
    ) -> int:
        """Run; the exit status says why it ended."""
        self._listen_for_signals()
        door = _bind(self.settings)
        # Importing the services takes as long as starting the servers: both at once.
        loading = asyncio.create_task(asyncio.to_thread(self._load))
        try:
            async with servers_for(self.settings) as (database, kafka, servers):
                house = house_for(self.settings, database, kafka)
                house.on_wipe = self._log_lost
                self.services = {name: build(house) for name, build in (await loading).items()}
                if setup or not self.settings.database:
                    await set_up(self.services.values(), kafka, demo=demo)
                await self._mend_log(kafka)
                keeper = asyncio.create_task(_keep_alive(servers))
                try:
                    with note_of(self.settings, self.services):
                        await self._serve(house, door, on_ready)
                finally:
                    keeper.cancel()
        except (ServerUnavailable, DatabaseNotReady) as error:
            print(error, file=sys.stderr)
            return 2
        except Exception as error:
            # A server that is away while we start: whoever started us starts us again.
            if not is_transient(error):
                raise
            print(f"cannot start: {type(error).__name__}: {error}", file=sys.stderr)
            return 1
        return self._status

    def stop(self) -> None:
        """Begin a clean end."""
        self._stop.set()

    def _log_lost(self, reason: str) -> None:
        log.error("the log was lost", reason=reason)
        self._status = LOG_LOST
        self._stop.set()

    async def _mend_log(self, kafka: str) -> None:
        """With all services here nothing else writes: send a lost log again before anything runs.

        A single service cannot do that; its relay then ends the process with `LOG_LOST`.
        """
        for service in self.services.values():
            await service.connect()
            await service.check_database()
        try:
            lost = await lost_services(self.services.values(), kafka)
        except KafkaError as error:
            # The doors open all the same; each relay looks again before it sends anything.
            log.warning("the broker is away", error=type(error).__name__)
            return
        if not lost:
            return
        if not self.whole:
            raise LogLost(next(iter(lost.values())))
        say("Kafka's log is gone; sending it again from the outboxes …")
        await restore_log(self.services.values(), kafka, tell=say)

    async def _serve(self, house: House, door: socket.socket, on_ready: Callable[[], None]) -> None:
        watch = BrokerWatch(house.kafka, house.on_wipe)
        reader = DirectoryReader(house.directory, house.kafka)
        app = web_app(house, self.services, lambda: self._reasons(watch, house))
        server = _server(app, self.settings)
        await asyncio.gather(watch.start(), reader.start())
        serving = asyncio.create_task(server.serve([door]), name="web")
        collector = ServiceCollector(self.services)
        REGISTRY.register(collector)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    while not house.directory.loaded:
                        await asyncio.sleep(0.02)
            await asyncio.gather(*(s.start() for s in self.services.values()))
            _settle_memory()
            announcing = asyncio.create_task(self._announce(on_ready, watch, house))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
            announcing.cancel()
            stopping.cancel()
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
        self, on_ready: Callable[[], None], watch: BrokerWatch, house: House
    ) -> None:
        while self._reasons(watch, house) or any(s.reasons() for s in self.services.values()):
            await asyncio.sleep(0.05)
        on_ready()

    def _reasons(self, watch: BrokerWatch, house: House) -> list[str]:
        if watch.silent_for > 15:
            return [f"kafka: no answer ({watch.error or 'waiting'})"]
        return [] if house.directory.loaded else ["directory: not read yet"]

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)


def _bind(settings: Settings) -> socket.socket:
    """Take the address before anything is started; exit status 2 where somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
    except OSError as error:
        refuse(
            f"EXPRESS_HOST, EXPRESS_PORT: cannot listen on {settings.host}:{settings.port} "
            f"({error.strerror}); choose another port, e.g. EXPRESS_PORT={settings.port + 1}"
        )
    return door


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
    """What was made at start stays: keep the collector away from it (p99 33 → 8 ms)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
