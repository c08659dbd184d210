from pathlib import Path

import pytest

from shared.embedded.java import ClassArchive, Java


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("25", 25), ("25.0.2", 25), ("1.8.0_402", 8)]
)
def test_a_java_knows_its_generation(version: str, major: int) -> None:
    assert Java(Path("java"), version).major == major


def test_only_a_java_that_knows_a_flag_gets_it() -> None:
    assert "--sun-misc-unsafe-memory-access=allow" not in Java(Path("java"), "17.0.1").flags()
    assert "--sun-misc-unsafe-memory-access=allow" in Java(Path("java"), "25.0.2").flags()


@pytest.fixture
def archive(tmp_path: Path) -> ClassArchive:
    jar = tmp_path / "a.jar"
    jar.touch()
    return ClassArchive(Java(Path("java"), "17.0.1"), [jar], tmp_path / "cache")


def written(archive: ClassArchive) -> Path:
    """Do what the JVM does at its exit."""
    path = Path(archive.flags()[0].partition("=")[2])
    path.touch()
    return path


def test_an_archive_is_read_only_after_an_orderly_exit_wrote_it(archive: ClassArchive) -> None:
    assert written(archive) != archive.path
    archive.keep()
    assert archive.flags()[0] == f"-XX:SharedArchiveFile={archive.path}"


def test_what_a_killed_broker_wrote_of_an_archive_is_thrown_away(archive: ClassArchive) -> None:
    half = written(archive)
    archive.discard()
    assert not half.exists()
    assert archive.flags()[0].startswith("-XX:ArchiveClassesAtExit")


def test_a_machine_too_slow_to_write_an_archive_is_asked_once(archive: ClassArchive) -> None:
    written(archive)
    archive.give_up()
    assert archive.flags() == []
