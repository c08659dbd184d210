"""Which pg_dump is taken, and how it is told the password."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from shared.backup import tools
from shared.backup.errors import BackupError
from shared.backup.tools import find_tool
from shared.db.address import parse_address


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_that_of_the_wheel_fits_its_own_server() -> None:
    assert find_tool("pg_dump", 18).path.parent.name == "bin"


def test_one_of_another_version_is_named_and_the_right_one_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "pg_dump", 'echo "pg_dump (PostgreSQL) 15.9 (Debian)"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("pg_dump", 15).path == old
    with pytest.raises(BackupError, match=r"PostgreSQL 16.*15.*postgresql-client-16"):
        find_tool("pg_dump", 16)


async def test_the_password_is_in_no_command_line(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    fake = program(tmp_path / "pg_dump", f'echo "$@ / $PGPASSWORD" > {seen}')
    address = parse_address("postgresql://ex:p%40ss@db.example:5433/x?sslmode=require")
    await tools.Tool(fake).run("--format=custom", database=address.database("express_desk"))
    said = seen.read_text().strip()
    assert said == (
        "--format=custom "
        "--dbname=postgresql://ex@db.example:5433/express_desk?sslmode=require / p@ss"
    )


async def test_its_last_words_are_the_reason(tmp_path: Path) -> None:
    fake = program(tmp_path / "pg_restore", "echo connection to server failed >&2; exit 1")
    with pytest.raises(BackupError, match="pg_restore: connection to server failed"):
        await tools.Tool(fake).run()


async def test_one_that_ends_before_it_has_read_all_does_not_hang(tmp_path: Path) -> None:
    fake = program(tmp_path / "pg_restore", "exec 0<&-; echo not an archive >&2; exit 1")
    large = tmp_path / "large"
    large.write_bytes(b"x" * 3_000_000)
    with large.open("rb") as source, pytest.raises(BackupError, match="not an archive"):
        await tools.Tool(fake).run(source=source)
