"""Who runs a server and who uses it: file locks, which the kernel drops with their holder.

The record of a pid cannot say whether anybody is still there; a lock can.
"""

import asyncio
import fcntl
from io import TextIOWrapper
from pathlib import Path


class _FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIOWrapper | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._file is not None

    def release(self) -> None:
        """Let others have it. A program that inherited it holds it on."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self, how: int) -> bool:
        file = self._file or self._path.open("a")
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if file is not self._file:
                file.close()
            return False
        self._file = file
        return True


class Ownership(_FileLock):
    """Who runs the server of a data directory: one program at a time."""

    def take(self) -> bool:
        """Take it unless somebody else has it."""
        return self._file is not None or self._take(fcntl.LOCK_EX)

    def fileno(self) -> int:
        """What a program inherits that is to hold it, too; only while it is held."""
        assert self._file is not None
        return self._file.fileno()


class Use(_FileLock):
    """One use of a server among others. Whoever leaves last ends it, and has the lock alone."""

    async def join(self) -> None:
        """Share it from now on; waits while the last one before ends the server."""
        while self._file is None and not self._take(fcntl.LOCK_SH):
            await asyncio.sleep(0.02)

    async def leave(self) -> bool:
        """Leave; True for the last, who ends the server: nobody joins before `release`.

        Waits where somebody else is just ending it.
        """
        while self._file is not None:
            if self._take(fcntl.LOCK_EX):
                return True
            if self._take(fcntl.LOCK_SH):
                self.release()
            else:
                await asyncio.sleep(0.02)
        return False
