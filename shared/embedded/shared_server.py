"""How any number of processes use one server of a data directory together."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.embedded.child import Account, Child
from shared.embedded.errors import ServerUnavailable
from shared.embedded.locks import Ownership, Use


class SharedServer(ABC):
    """Whoever finds no server starts it, everybody else joins, and whoever leaves last ends it.

    One that was killed has left. Where it was the last, the server's keeper ends it (`keeper.py`).
    """

    def __init__(
        self, child: Child, *, lock: Path, users: Path, log: Path, start_seconds: float
    ) -> None:
        self._child = child
        self._ownership, self._use = Ownership(lock), Use(users)
        self._users, self._output = users, log
        self._start_seconds = start_seconds

    @property
    def pid(self) -> int | None:
        """The server, while it runs, whoever started it."""
        return self._child.pid

    async def start(self) -> str:
        """Start the server, or join the one that runs; return its address once it is ready.

        Raises ServerUnavailable with one sentence for the person who started the system.
        """
        try:
            async with asyncio.timeout(self._start_seconds):
                await self._start_or_join()
        except TimeoutError:
            await self.stop()
            raise self._unavailable(self._complaint()) from None
        except BaseException:
            await self.stop()
            raise
        return self._address

    async def stop(self) -> None:
        """Leave the server; the last one stops it in an orderly way."""
        try:
            if await self._use.leave():
                await self._child.end()
        finally:
            self._use.release()

    def kill(self) -> None:
        """Kill -9 the server and its children (for tests); `start` brings it back."""
        self._child.kill()

    async def _start_or_join(self) -> None:
        try:
            self._users.parent.mkdir(parents=True, exist_ok=True)
            await self._use.join()
            while not await self._is_ready():
                if self._ownership.take():
                    break
                await asyncio.sleep(0.05)
            else:
                return
        except OSError as error:
            raise self._unavailable(f"{error.strerror}: {error.filename}") from error
        try:
            await self._child.end()  # left behind by a keeper that was killed
            await self._start_own()
        finally:
            self._ownership.release()  # the keeper has it

    def _spawn(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        account: Account | None = None,
    ) -> None:
        self._child.spawn(
            command,
            log=self._output,
            environment=environment,
            account=account,
            kept=(self._users, self._ownership.fileno()),
        )

    @property
    @abstractmethod
    def _address(self) -> str: ...

    @abstractmethod
    async def _is_ready(self) -> bool:
        """Whether the server of this directory runs and answers."""

    @abstractmethod
    async def _start_own(self) -> None:
        """Start it, and return once it is ready."""

    @abstractmethod
    def _complaint(self) -> str:
        """What it said last."""

    @abstractmethod
    def _unavailable(self, reason: str) -> ServerUnavailable: ...
