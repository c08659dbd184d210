"""The jars of Kafka: exactly those of the lock."""

import shutil
from pathlib import Path

import pytest

from shared.embedded.errors import ServerUnavailable
from shared.embedded.jars import DamagedJar, Jar, fetch_jars, jar_directory, locked_jars
from shared.embedded.jars import _fetch as fetch


def path(root: Path, jar: Jar) -> Path:
    return root / jar.folder / jar.file_name


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the local repository, with what the lock names."""
    fetch_jars(lambda _: None)
    for jar in locked_jars():
        copy = path(tmp_path, jar)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path(jar_directory(), jar), copy)
    return tmp_path


def test_a_damaged_and_a_missing_jar_are_fetched_again(repository: Path) -> None:
    small = [jar for jar in locked_jars() if jar.artifact in {"jspecify", "slf4j-api"}]
    path(repository, small[0]).write_bytes(b"half of a jar")
    path(repository, small[1]).unlink()
    said: list[str] = []
    class_path = fetch_jars(said.append, repository)
    assert len(class_path) == len(locked_jars())
    assert class_path == sorted(class_path)
    assert "2" in said[0]
    assert fetch_jars(said.append, repository) == class_path
    assert len(said) == 2
    assert not list(repository.glob(".fetching-*"))


def test_a_jar_that_is_not_what_the_lock_names_is_refused(tmp_path: Path) -> None:
    jar = next(jar for jar in locked_jars() if jar.artifact == "jspecify")
    forged = Jar(jar.group, jar.artifact, jar.version, "0" * 64)
    with pytest.raises(ServerUnavailable, match="SHA-256") as refused:
        fetch([forged], tmp_path, lambda _: None)
    assert isinstance(refused.value.__cause__, DamagedJar)
    assert not path(tmp_path, jar).exists()
