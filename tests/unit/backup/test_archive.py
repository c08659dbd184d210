"""The file of a backup: whole or not at all, and it says when it is damaged."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.recovery import register
from shared.backup.archive import (
    Archive,
    Manifest,
    ServicePart,
    beside,
    dump_name,
    fingerprint,
    make_folder,
    write_archive,
)
from shared.backup.errors import BackupError
from shared.backup.taking import delete_old, file_for

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
DUMP = b"a dump of desk " * 10_000


def part(**more: object) -> ServicePart:
    values = {
        "taken_at": NOW,
        "revision": "0001",
        "bytes": len(DUMP),
        "sha256": hashlib.sha256(DUMP).hexdigest(),
        "cluster_id": "abc",
        "generation": 0,
        "ends": {"feedback.events": {0: 7}},
        "read": {},
        "outbox": 8,
        "waiting": 0,
    }
    return ServicePart.model_validate(values | more)


def made(target: Path, **more: object) -> Archive:
    with beside(target) as folder:
        (folder / dump_name("desk")).write_bytes(DUMP)
        manifest = Manifest(made_at=NOW, server=18, services={"desk": part(**more)})
        write_archive(target, manifest, folder)
    return Archive(target)


def test_what_was_put_in_comes_out_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    archive = made(tmp_path / "new" / "a.backup")
    archive.verify()
    with archive.dump("desk") as dump:
        assert dump.read() == DUMP
    assert archive.manifest.services["desk"].ends == {"feedback.events": {0: 7}}
    assert stat.S_IMODE(archive.path.stat().st_mode) == 0o600
    assert [path.name for path in archive.path.parent.iterdir()] == ["a.backup"]


def test_a_backup_replaces_nothing(tmp_path: Path) -> None:
    made(tmp_path / "a.backup")
    before = (tmp_path / "a.backup").read_bytes()
    with pytest.raises(BackupError, match="replaces nothing"):
        made(tmp_path / "a.backup", outbox=9)
    assert (tmp_path / "a.backup").read_bytes() == before


@pytest.mark.parametrize("word", [b"a dump of desk", b'"outbox"'])
def test_one_changed_letter_is_found(tmp_path: Path, word: bytes) -> None:
    path = made(tmp_path / "a.backup").path
    path.write_bytes(path.read_bytes().replace(word, word.swapcase(), 1))
    with pytest.raises(BackupError, match="damaged"):
        Archive(path).verify()


@pytest.mark.parametrize("left", [0, 600, 20_000, 100_000])
def test_a_backup_that_was_cut_off_is_none(tmp_path: Path, left: int) -> None:
    path = made(tmp_path / "a.backup").path
    os.truncate(path, left)
    with pytest.raises(BackupError):
        Archive(path).verify()


def test_what_is_no_backup_and_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear library")
    for name in ("letter", "nowhere"):
        with pytest.raises(BackupError, match=name):
            Archive(tmp_path / name)


def test_a_format_of_tomorrow_is_refused(tmp_path: Path) -> None:
    with beside(tmp_path / "a.backup") as folder:
        (folder / dump_name("desk")).write_bytes(DUMP)
        manifest = Manifest(format=2, made_at=NOW, server=18, services={"desk": part()})
        write_archive(tmp_path / "a.backup", manifest, folder)
    with pytest.raises(BackupError, match="format 2"):
        Archive(tmp_path / "a.backup")


def test_a_fingerprint_tells_keys_apart() -> None:
    assert fingerprint(b"one key") == fingerprint(b"one key") != fingerprint(b"another")


def test_a_folder_gets_a_file_named_after_the_moment(tmp_path: Path) -> None:
    assert file_for(tmp_path, NOW) == tmp_path / "express-20260304T020000Z.backup"
    assert file_for(tmp_path / "mine.backup", NOW) == tmp_path / "mine.backup"


def test_old_backups_go_but_never_the_newest_nor_anything_else(tmp_path: Path) -> None:
    ages = (40, 20, 15, 1)
    paths = [file_for(tmp_path, NOW - timedelta(days=age)) for age in ages]
    for path in [*paths, tmp_path / "express-notes.txt", tmp_path / "mine.backup"]:
        path.touch()
    assert delete_old(tmp_path, timedelta(days=14), NOW) == paths[:3]
    assert delete_old(tmp_path, timedelta(hours=1), NOW) == []
    assert {p.name for p in tmp_path.iterdir()} == {
        paths[3].name,
        "express-notes.txt",
        "mine.backup",
    }


def test_a_folder_is_made_only_in_one_that_exists(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "new")
    assert not make_folder(tmp_path / "new")
    with pytest.raises(BackupError, match="mounted"):
        make_folder(tmp_path / "typo" / "path")
    with pytest.raises(BackupError, match="mounted"), beside(tmp_path / "typo" / "a" / "b.backup"):
        raise AssertionError
    assert not (tmp_path / "typo").exists()
    assert make_folder(tmp_path / "data" / "backups", anywhere=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError):
        make_folder(tmp_path / "file")


@pytest.mark.parametrize("name", ["path", "path.backup"])
def test_a_backup_to_where_there_is_no_folder_is_refused_in_a_sentence(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPRESS_DATA", str(tmp_path / "data"))
    cli = typer.Typer()
    register(cli, dict)
    answer = CliRunner().invoke(cli, ["backup", str(tmp_path / "typo" / "and" / name)])
    assert answer.exit_code == 2
    assert "is the disk mounted" in answer.stderr
    assert not (tmp_path / "typo").exists()
