"""Other processes that use a server, and are killed or leave."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil

from tests.patience import PATIENCE

# It starts the server or joins it, and leaves when its input ends.
_PROGRAM = """
import asyncio, sys
from pathlib import Path
import shared.embedded

async def use():
    server = getattr(shared.embedded, sys.argv[1])(Path(sys.argv[2]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(use())
"""


class User:
    """Another process that uses a server."""

    def __init__(self, process: asyncio.subprocess.Process, pid: int) -> None:
        self._process = process
        self.pid = pid
        """The server it found or started."""

    @classmethod
    async def of(cls, server: str, data: Path) -> User:
        """Start one; it uses the server by then."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROGRAM, server, str(data), stdin=pipe, stdout=pipe
        )
        assert process.stdout is not None
        return cls(process, int(await process.stdout.readline()))

    async def killed(self) -> None:
        """Kill -9 it."""
        self._process.kill()
        await self._process.wait()

    async def gone(self) -> None:
        """Let it leave in an orderly way."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


def is_running(pid: int) -> bool:
    """Whether a process is there; a zombie is not."""
    try:
        os.kill(pid, 0)
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


async def ended(pid: int) -> None:
    """Wait until a process is no more."""
    async with asyncio.timeout(PATIENCE):
        while is_running(pid):
            await asyncio.sleep(0.02)
