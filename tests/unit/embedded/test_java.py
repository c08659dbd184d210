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


def test_an_archive_is_read_where_one_was_written(archive: ClassArchive) -> None:
    assert archive.flags() == []
    fresh = archive.path.with_suffix(".fresh")
    assert archive.writing(fresh)[0] == f"-XX:ArchiveClassesAtExit={fresh}"
    archive.path.parent.mkdir()
    archive.path.touch()
    assert archive.flags()[0] == f"-XX:SharedArchiveFile={archive.path}"
