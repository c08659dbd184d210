"""Many small submissions, few commits: one writer drains a queue into one transaction.

While a commit is under way the next submissions gather, so that the batch grows exactly with the
load. Nobody is answered before the commit that holds their row.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from shared.messaging.failures import is_transient
from shared.messaging.foreground import Foreground
from shared.messaging.kill_points import kill_point
from shared.messaging.transaction import Transaction
from shared.tasks import Supervised

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUE = 2_000
"""Submissions that may wait; more are turned away with `Busy`."""
BATCH = 200
GATHER = 0.005
"""Seconds for which a batch may wait for more of itself."""


class Busy(Exception):
    """The queue is full, or the database is away: try again after `retry_after` seconds."""

    retry_after = 2


class GroupCommit(Generic[Item, Result]):
    """Feeds items to `write` in batches, each batch in one transaction.

    `write(tx, items)` gives one result per item, or an exception object for an item that is
    refused. When it raises, the items are written one by one, so that one bad item fails alone.
    """

    def __init__(
        self,
        open_transaction: Callable[[], AbstractAsyncContextManager[Transaction]],
        write: Callable[[Transaction, list[Item]], Awaitable[list[Result | Exception]]],
        *,
        timeout: float = 3.0,
        gather: float = GATHER,
        foreground: Foreground | None = None,
    ) -> None:
        self._open, self._write, self._timeout = open_transaction, write, timeout
        self._gather = gather
        self._foreground = foreground or Foreground()
        self._queue: asyncio.Queue[tuple[Item, asyncio.Future[Result]]] = asyncio.Queue(QUEUE)
        self._task = Supervised("group commit", self._run)
        # Whom no answer has reached yet, in order of arrival, and until when each of them waits.
        self._unanswered: deque[tuple[float, asyncio.Future[Result]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin writing."""
        self._task.start()

    async def stop(self) -> None:
        """Finish what is queued, then stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), 5)
        await self._task.stop()

    @property
    def error(self) -> str | None:
        """What ended the writing, while it is not going on."""
        return self._task.error

    @property
    def waiting(self) -> int:
        """Submissions that wait for the next transaction."""
        return self._queue.qsize()

    async def submit(self, item: Item) -> Result:
        """The result of `item` once it is durable. `Busy` where it could not be written in time.

        An item given up by `Busy` may still have been written: the caller's idempotency key or
        source message id makes the next try find it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        try:
            self._queue.put_nowait((item, future))
        except asyncio.QueueFull:
            raise Busy from None
        self._unanswered.append((loop.time() + self._timeout, future))
        if self._timer is None:
            self._timer = loop.call_later(self._timeout, self._expire)
        return await future

    def _expire(self) -> None:
        """Give up those whose time is over. One timer for all: one each is dear."""
        loop = asyncio.get_running_loop()
        self._forget_answered()
        while self._unanswered and self._unanswered[0][0] <= loop.time():
            _fail(self._unanswered.popleft()[1], Busy())
        self._timer = None
        if self._unanswered:
            self._timer = loop.call_at(self._unanswered[0][0], self._expire)

    def _forget_answered(self) -> None:
        while self._unanswered and self._unanswered[0][1].done():
            self._unanswered.popleft()

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await self._collect_batch()
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            self._foreground.accepted(len(batch))
            try:
                with self._foreground:
                    await self._write_batch([b for b in batch if not b[1].done()])
                self._task.progressed()
            finally:
                # Nobody waits for a writer that ended in the middle.
                for _, future in batch:
                    _fail(future, Busy())
                self._forget_answered()
                for _ in batch:
                    self._queue.task_done()

    async def _collect_batch(self) -> None:
        """Wait while every turn of the loop brings more, so that who comes at once shares a commit.

        Those answered by one commit come again together: without this the first of them would be
        written alone, and everybody else would wait for that. Where turns are long (the other
        services are busy in this process) there is always somebody new: then time ends it.
        """
        loop = asyncio.get_running_loop()
        before, end = -1, loop.time() + self._gather
        while before < self._queue.qsize() < BATCH and loop.time() < end:
            before = self._queue.qsize()
            await asyncio.sleep(0)

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        if not batch:
            return
        try:
            async with self._open() as tx:
                results = await self._write(tx, [item for item, _ in batch])
                kill_point("submission.before_commit")
            kill_point("submission.after_commit")
        except Exception as error:
            if is_transient(error):
                for _, future in batch:
                    _fail(future, Busy())
            elif len(batch) == 1:
                _fail(batch[0][1], error)
            else:
                for one in batch:
                    await self._write_batch([one])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                _fail(future, result)
            elif not future.done():
                future.set_result(result)


def _fail(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
