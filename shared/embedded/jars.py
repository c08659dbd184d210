"""Kafka's jars: exactly those of `kafka-jars.lock`, each checked against its SHA-256."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.errors import ServerUnavailable

LOCK = Path(__file__).with_name("kafka-jars.lock")


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file, as the repository calls it."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def folder(self) -> Path:
        """The folder below the root of a local repository."""
        return Path(*self.group.split("."), self.artifact, self.version)

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


class DamagedJar(RuntimeError):
    """What was fetched is not what the lock names."""

    def __init__(self, jar: Jar) -> None:
        self.jar = jar
        super().__init__(f"{jar}: SHA-256 differs from the lock")


def locked_jars() -> list[Jar]:
    """Read the lock: `group:artifact:version sha256` a line."""
    jars = []
    for line in LOCK.read_text().splitlines():
        coordinate, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def lock_hash() -> str:
    """What the class archive is keyed by."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]


def cache_directory() -> Path:
    """The user's own cache, shared by all clones."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "feedback-express"


def jar_directory() -> Path:
    """The local Maven repository of this user."""
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def fetch_jars(say: Callable[[str], None], directory: Path | None = None) -> list[Path]:
    """Return the checked paths of all jars, sorted; fetch what is missing or damaged.

    Raises ServerUnavailable when one cannot be had.
    """
    root = directory or jar_directory()
    jars = locked_jars()
    missing = [jar for jar in jars if not _is_intact(_path(root, jar), jar)]
    if missing:
        say(f"下载 Kafka 的 {len(missing)} 个组件 / fetching {len(missing)} jars of Kafka")
        _fetch(missing, root, say)
    return sorted(_path(root, jar) for jar in jars)


def _path(root: Path, jar: Jar) -> Path:
    return root / jar.folder / jar.file_name


def _is_intact(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _fetch(missing: list[Jar], root: Path, say: Callable[[str], None]) -> None:
    import requests  # with jgo half a second of imports, wanted only on the first start

    try:
        root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=8) as pool:
            try:
                for done, _ in enumerate(pool.map(lambda jar: fetch_jar(jar, root), missing), 1):
                    if done % 10 == 0 or done == len(missing):
                        say(f"  Kafka {done}/{len(missing)}")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except (OSError, RuntimeError, requests.RequestException) as error:
        reason = str(error) if isinstance(error, DamagedJar) else type(error).__name__
        raise ServerUnavailable(
            "Kafka",
            "EXPRESS_KAFKA",
            f"取不到它的组件（{reason}），请联网后再试",
            f"its jars cannot be fetched ({reason}), try again with a network",
        ) from error


def fetch_jar(jar: Jar, root: Path) -> None:
    """Fetch one artifact, nothing it depends on, and put it in place in one step.

    jgo writes into its cache directly and only warns about a wrong checksum: a second process, or
    a Ctrl-C, could meet half a jar. So it gets an empty cache, and what is right is moved.
    """
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory(dir=root, prefix=".fetching-") as workshop:
        context = MavenContext(repo_cache=Path(workshop), timeout=60)
        project = context.project(jar.group, jar.artifact)
        fetched = project.at_version(jar.version).artifact().resolve()
        if not _is_intact(fetched, jar):
            raise DamagedJar(jar)
        target = _path(root, jar)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fetched, target)
