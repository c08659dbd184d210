"""``pg_dump`` and ``pg_restore``: those of the server's own version, wherever they are."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from shared.backup.errors import BackupError
from shared.db.address import Address
from shared.embedded import ServerUnavailable
from shared.embedded.postgres import program

_PIECE = 1 << 20
_NOT_ON_THE_PATH = "/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin"
"""Where distributions keep the programs of several versions side by side."""


@dataclass(frozen=True)
class Tool:
    """A program that fits a server."""

    path: Path

    async def run(
        self,
        *arguments: str,
        database: Address | None = None,
        source: IO[bytes] | None = None,
        read: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Run it to its end. `BackupError` with its last words where it fails.

        `source` is its standard input; `read` is called with the number of bytes of every piece.
        The password of `database` travels in the environment, where other users do not see it.
        """
        environment = dict(os.environ)
        command = [str(self.path), *arguments]
        if database is not None:
            url, password = _without_password(database)
            command.append(f"--dbname={url}")
            if password is not None:
                environment["PGPASSWORD"] = password
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL if source is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            feeding = asyncio.create_task(_feed(process, source, read))
            assert process.stderr is not None
            words = await process.stderr.read()
            await feeding
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status:
            said = " ".join(words.decode("utf-8", "replace").split())[-600:]
            raise BackupError(f"{self.path.name}: {said or f'exit status {status}'}")


async def _feed(
    process: asyncio.subprocess.Process, source: IO[bytes] | None, read: Callable[[int], None]
) -> None:
    if source is None or process.stdin is None:
        return
    try:
        while piece := await asyncio.to_thread(source.read, _PIECE):
            process.stdin.write(piece)
            await process.stdin.drain()
            read(len(piece))
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended, and says why itself
    finally:
        process.stdin.close()


def _without_password(address: Address) -> tuple[str, str | None]:
    account, at, hosts = address.server.rpartition("@")
    name, colon, password = account.partition(":")
    if not colon:
        return address.dsn, None
    return address.dsn.replace(address.server, f"{name}{at}{hosts}", 1), unquote(password)


def find_tool(name: str, major: int) -> Tool:
    """The program `name` of that major version.

    That of the wheel first, then the search path and the places of the distributions.
    `BackupError` says what to install.
    """
    found: dict[str, int | None] = {}
    for path in _candidates(name, major):
        version = _major(path)
        if version == major:
            return Tool(path)
        found[str(path)] = version
    others = ", ".join(f"{path} is of version {v or '?'}" for path, v in found.items())
    raise BackupError(
        f"{name} of PostgreSQL {major}, the server's version, is needed and not here"
        + (f" ({others})" if others else "")
        + f"; on Debian: apt-get install postgresql-client-{major}"
    )


def _candidates(name: str, major: int) -> Iterator[Path]:
    try:
        wheel = program(name)
    except ServerUnavailable:
        pass
    else:
        if wheel.is_file():
            yield wheel
    if path := shutil.which(name):
        yield Path(path)
    for folder in _NOT_ON_THE_PATH:
        beside_others = Path(folder.format(major=major)) / name
        if beside_others.is_file():
            yield beside_others


@cache
def _major(path: Path) -> int | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\) (\d+)", said.stdout)
    return int(number[1]) if number else None
