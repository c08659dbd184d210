"""Apache Kafka (KRaft, one node) as a child process, on the loopback only."""

import asyncio
import base64
import contextlib
import logging
import random
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from shared.embedded.child import Child, clean_environment, tail
from shared.embedded.errors import ServerUnavailable
from shared.embedded.jars import cache_directory, fetch_jars
from shared.embedded.java import ClassArchive, Java, find_java
from shared.embedded.keeper import GRACE_SECONDS
from shared.embedded.shared_server import SharedServer

HOST = "127.0.0.1"
# Below what systems hand out to outgoing connections, so that nobody gets ours between two starts.
_PORTS = range(20_000, 32_000)
_START_SECONDS = 120.0
_WRITING_SECONDS = 120.0
"""Some three of them on a quick machine."""
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
auto.create.topics.enable=false
num.partitions=12
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=1
num.io.threads=2
background.threads=2
group.coordinator.threads=1
share.coordinator.threads=1
log.cleaner.threads=1
log.cleaner.backoff.ms=60000
log.cleaner.dedupe.buffer.size=2097152
log.index.size.max.bytes=1048576
log.retention.hours=-1
"""
_LOGGING = """\
status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName={log}
appender.file.filePattern={log}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{{ISO8601}} %p %m (%c)%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=1
rootLogger.level=warn
rootLogger.appenderRef.file.ref=file
"""


class EmbeddedKafka(SharedServer):
    """The broker of one data directory, for all who use it, at the same port after every start.

    Removing `logs` while it is stopped loses the log, not the port.
    `properties` come after the shipped ones and win, `format_options` go to the tool that formats:
    tests give it a second listener, with passwords. When it stops it writes its loaded classes to
    `archive`, if one is asked for.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        properties: str = "",
        format_options: Sequence[str] = (),
        archive: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._say = say
        self._wanted_port = port
        self._template = _PROPERTIES + properties
        self._format_options = format_options
        self.directory = data.resolve() / "kafka"
        self.logs = self.directory / "logs"
        self.log = self.directory / "kafka.log"
        self._console = self.directory / "console.log"
        self._properties = self.directory / "server.properties"
        self._ports = self.directory / "ports"
        super().__init__(
            Child(
                self.directory / "pid",
                str(self._properties),
                signal.SIGTERM,
                grace=_WRITING_SECONDS if archive else GRACE_SECONDS,
            ),
            lock=self.directory / "lock",
            users=self.directory / "users",
            log=self._console,
            start_seconds=_START_SECONDS,
        )
        self._archive = archive

    @property
    def running_at(self) -> str | None:
        """The address of the broker, while it runs; nothing is started for this."""
        return self._address if self.pid and self._recorded_ports() else None

    def pause(self) -> None:
        """Freeze the broker (for tests)."""
        self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._child.send(signal.SIGCONT)

    @property
    def _address(self) -> str:
        return f"{HOST}:{self._recorded_ports()[0]}"

    async def _is_ready(self) -> bool:
        return bool(self.pid and self._recorded_ports()) and await self._answers()

    async def _start_own(self) -> None:
        java = await asyncio.to_thread(find_java)
        class_path = await asyncio.to_thread(fetch_jars, self._say)
        self._write_settings()
        archive = ClassArchive(java, class_path, cache_directory())
        classes = archive.writing(self._archive) if self._archive else archive.flags()
        run = [*java.flags(), self._logging, "-cp", ":".join(map(str, class_path))]
        if not (self.logs / "meta.properties").is_file():
            await asyncio.to_thread(self._format, [java.command, *archive.flags(), *run])
        command: list[str | Path] = [java.command, *classes, *run, "kafka.Kafka", self._properties]
        self._spawn(command, clean_environment())
        while not await self._answers():
            if self._child.exit_status is not None:
                raise _unavailable(self._complaint())
            await asyncio.sleep(0.02)

    def _write_settings(self) -> None:
        ports = self._choose_ports()
        self._ports.write_text(" ".join(map(str, ports)))
        values = {"host": HOST, "port": ports[0], "controller_port": ports[1], "logs": self.logs}
        self._properties.write_text(self._template.format(**values), encoding="utf-8")
        path = self.directory / "log4j2.properties"
        path.write_text(_LOGGING.format(log=self.log), encoding="utf-8")

    @property
    def _logging(self) -> str:
        return f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"

    def _format(self, run: list[str | Path]) -> None:
        """Write the identity of a new, empty log."""
        self._say("建立 Kafka 的日志目录 / formatting the log of Kafka")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*run, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += [f"--cluster-id={cluster}", "-c", self._properties, *self._format_options]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=clean_environment(),
            start_new_session=True,
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise _unavailable(lines[0][:300] if lines else f"format: {done.returncode}")

    def _recorded_ports(self) -> list[int]:
        try:
            return [int(port) for port in self._ports.read_text().split()]
        except (OSError, ValueError):
            return []

    def _choose_ports(self) -> list[int]:
        """The recorded ports, but for those that somebody else has taken meanwhile."""
        recorded = self._recorded_ports() or [0, 0]
        wanted, controller = self._wanted_port or recorded[0], recorded[1]
        if self._wanted_port and not _is_free(wanted):
            raise _unavailable(f"port {wanted} is taken")
        port = wanted if wanted and _is_free(wanted) else _free_port()
        if wanted and port != wanted:
            self._say(f"端口 {wanted} 已被占用 / port {wanted} is taken: {port}")
        while not controller or controller == port or not _is_free(controller):
            controller = _free_port()
        return [port, controller]

    async def _answers(self) -> bool:
        """Whether it serves requests and knows itself as alive, not only listens."""
        port = self._recorded_ports()[0]
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            return False
        writer.close()
        client = AIOKafkaClient(bootstrap_servers=f"{HOST}:{port}", request_timeout_ms=2000)
        complaints = logging.getLogger("aiokafka")
        level = complaints.level
        complaints.setLevel(logging.CRITICAL)
        try:
            await client.bootstrap()
            return any(broker.port == port for broker in client.cluster.brokers())
        except (KafkaError, OSError):
            return False
        finally:
            await client.close()
            complaints.setLevel(level)

    def _complaint(self) -> str:
        return tail(self._console) or tail(self.log)

    def _unavailable(self, reason: str) -> ServerUnavailable:
        return _unavailable(reason)


async def write_archive(java: Java, class_path: Sequence[Path], say: Callable[[str], None]) -> None:
    """Have a broker without a past write down its loaded classes, where nobody did yet.

    That is a cache: without it every start takes longer.
    """
    wanted = ClassArchive(java, class_path, cache_directory()).path
    if wanted.is_file():
        return
    say("记下 Kafka 载入的类，以后启动更快 / noting the classes of Kafka: later starts are quicker")
    with (
        contextlib.suppress(ServerUnavailable, OSError),
        tempfile.TemporaryDirectory(dir=wanted.parent) as directory,
    ):
        fresh = Path(directory) / wanted.name
        broker = EmbeddedKafka(Path(directory), archive=fresh)
        try:
            await broker.start()
        finally:
            await broker.stop()
        fresh.replace(wanted)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    return next(port for port in random.sample(_PORTS, len(_PORTS)) if _is_free(port))


def _unavailable(reason: str) -> ServerUnavailable:
    return ServerUnavailable(
        "Kafka", "EXPRESS_KAFKA", f"没能启动（{reason}）", f"it did not start ({reason})"
    )
