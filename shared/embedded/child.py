"""A server as a child process: started apart from the terminal, recorded, found again, ended."""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.embedded import keeper
from shared.embedded.keeper import GRACE_SECONDS

_LOG_LIMIT = 10_000_000
_LONGEST_SOCKET_PATH = 107
_COMPLAINT = re.compile(r"FATAL|PANIC|ERROR|Error|Exception")


@dataclass(frozen=True)
class Account:
    """The unprivileged user a server runs as when we are root.

    `capability` lets it pass directories it may not enter (a checkout below root's home), so that
    no directory has to be opened to everybody.
    """

    uid: int
    gid: int
    capability: str | None = None


class Child:
    """One server process, known by its recorded pid and a mark, a part of its command line."""

    def __init__(
        self,
        record: Path,
        mark: str,
        graceful: signal.Signals,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._record = record
        self._mark = mark
        self._graceful = graceful
        self._grace = grace
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid while the server runs, ours or one that another process started."""
        process = self._find()
        return process.pid if process else None

    @property
    def exit_status(self) -> int | None:
        """How it ended, when it was started here and has ended."""
        return self._popen.poll() if self._popen else None

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        account: Account | None = None,
        lifeline: bool = False,
        kept: tuple[Path, int] | None = None,
    ) -> None:
        """Start it in a session of its own, so that a Ctrl-C in the terminal does not reach it.

        It stays until we end it after the services; where the system can, it also gets its
        graceful signal when its parent is killed. With a `lifeline` its standard input is a pipe
        that ends with us, which also tells a child that has changed its user. One that is `kept`
        (the file its users share, and the open file of its own lock) gets a keeper for a parent.
        """
        mortal = kept or threading.current_thread() is threading.main_thread()
        whole = wrap(command, account, self._graceful if mortal else None)
        if kept:
            here: list[str | Path] = [sys.executable, "-I", "-S", keeper.__file__]
            whole = [*map(str, [*here, kept[0], self._record, int(self._graceful)]), *whole]
        rotate(log)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                whole,
                stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=dict(environment),
                start_new_session=True,
                pass_fds=kept[1:] if kept else (),
            )
        if not kept:
            self._record.write_text(str(self._popen.pid))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server itself."""
        process = self._find()
        if process:
            process.send_signal(number)

    def kill(self) -> None:
        """Kill -9 it and everything it started, and wait until they are gone."""
        process = self._find()
        if process:
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [process, *process.children(recursive=True)]
                for member in family:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        member.kill()
                while any(_is_alive(member) for member in family):
                    time.sleep(0.005)
        self._forget()

    async def end(self) -> None:
        """Ask it to stop, and kill it after a while."""
        while not self._find() and self._popen and self._popen.poll() is None:
            await asyncio.sleep(0.02)  # a keeper that has not started it yet, or has no more to do
        process = self._find()
        if process:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(self._graceful)
                process.send_signal(signal.SIGCONT)
            for _ in range(int(self._grace / 0.02)):
                if not self._find():
                    break
                await asyncio.sleep(0.02)
            else:
                self.kill()
        self._forget()

    def _forget(self) -> None:
        if self._popen:
            self._popen.wait(timeout=5)
            if self._popen.stdin:
                self._popen.stdin.close()
            self._popen = None
        self._record.unlink(missing_ok=True)

    def _find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(int(self._record.read_text()))
            ours = self._mark in " ".join(process.cmdline())
            return process if ours and _is_alive(process) else None
        except (OSError, ValueError, psutil.Error):
            return None


def _is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie only waits for a parent that may be slow to look."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wrap(
    command: Sequence[str | Path], account: Account | None, at_our_death: signal.Signals | None
) -> list[str]:
    """Put `setpriv` in front of a command: another user, and a signal when its parent dies.

    The signal is bound to the *thread* that starts it, which must not end before.
    """
    prefix: list[str] = []
    if at_our_death and can_setpriv():
        prefix += ["--pdeathsig", at_our_death.name.removeprefix("SIG")]
    if account:
        prefix += ["--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]
        if account.capability:
            given = f"+{account.capability}"
            prefix += ["--inh-caps", given, "--ambient-caps", given]
    if prefix:
        prefix = ["setpriv", *prefix, "--"]
    return [*prefix, *map(str, command)]


def can_setpriv() -> bool:
    """Whether the program of util-linux is here."""
    return sys.platform == "linux" and shutil.which("setpriv") is not None


def socket_directory(near: Path, socket: str, *, unique: Path) -> Path:
    """`near`, or one of `unique`'s in the temporary directory where a path gets too long."""
    if len(os.fsencode(near / socket)) <= _LONGEST_SOCKET_PATH:
        return near
    name = hashlib.sha256(os.fsencode(unique)).hexdigest()[:16]
    return Path("/tmp") / f"express-{os.geteuid()}-{name}"


def rotate(log: Path) -> None:
    """Keep what a child says bounded: one old file."""
    if log.is_file() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def clean_environment() -> dict[str, str]:
    """Our environment without what would steer the servers from outside."""
    foreign = ("PG", "KAFKA_", "LC_", "LANG", "JAVA_TOOL_OPTIONS", "CLASSPATH", "LD_PRELOAD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "LC_ALL": "C.UTF-8"}


def tail(log: Path) -> str:
    """The last complaint of a child, or its last line, for the one sentence about what is wrong."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()[-50:]
    except OSError:
        return ""
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    return (complaints or lines or [""])[-1][:300]
