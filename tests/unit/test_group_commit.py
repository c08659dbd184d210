"""Who shares a commit, and how long anybody waits for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.messaging.group_commit import BATCH, Busy, GroupCommit


class Ledger:
    """What was committed, batch by batch; nothing is while `open` is not set."""

    def __init__(self, *, timeout: float = 3.0, gather: float = 60) -> None:
        self.batches: list[list[int]] = []
        self.open, self.entered = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.group: GroupCommit[int, int] = GroupCommit(
            self._transaction, self._write, timeout=timeout, gather=gather
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        self.entered.set()
        await self.open.wait()
        yield None

    async def _write(self, _: Any, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        return [10 * item for item in items]


@asynccontextmanager
async def a_ledger(**how: Any) -> AsyncIterator[Ledger]:
    ledger = Ledger(**how)
    await ledger.group.start()
    yield ledger
    await ledger.group.stop()


async def test_a_lone_submission_is_a_batch() -> None:
    async with a_ledger() as ledger:
        assert await ledger.group.submit(1) == 10
        assert ledger.batches == [[1]]


async def test_those_who_come_at_once_share_a_commit_also_turn_after_turn() -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await ledger.group.submit(turns)

    async with a_ledger() as ledger:
        answers = await asyncio.gather(*(after(n) for n in range(20)))
        assert answers == [10 * n for n in range(20)]
        assert ledger.batches == [list(range(20))]


async def test_nobody_waits_for_more_where_every_turn_is_long_and_brings_somebody() -> None:
    async def after(ledger: Ledger, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.002)  # noqa: ASYNC251 - a turn of a process that has much else to do
        return await ledger.group.submit(turns)

    async with a_ledger(gather=0.005) as ledger:
        await asyncio.gather(*(after(ledger, n) for n in range(20)))
        assert all(len(batch) <= 5 for batch in ledger.batches)


async def test_a_crowd_is_divided_and_keeps_its_order() -> None:
    async with a_ledger() as ledger:
        await asyncio.gather(*(ledger.group.submit(n) for n in range(2 * BATCH + 1)))
        assert [len(b) for b in ledger.batches] == [BATCH, BATCH, 1]
        assert [n for b in ledger.batches for n in b] == list(range(2 * BATCH + 1))


async def test_the_timeout_runs_for_each_from_the_own_arrival() -> None:
    async def waited(ledger: Ledger, later: float) -> float:
        if later:
            await ledger.entered.wait()
            await asyncio.sleep(later)
        began = time.monotonic()
        with pytest.raises(Busy):
            await ledger.group.submit(0)
        return time.monotonic() - began

    async with a_ledger(timeout=1.0) as ledger:
        ledger.open.clear()
        times = await asyncio.gather(*(waited(ledger, later) for later in (0, 0.05, 0.2)))
        assert all(time >= 0.99 for time in times)
        ledger.open.set()
        # The first was in the transaction and got written; the others had gone before theirs.
        assert await ledger.group.submit(7) == 70
        assert ledger.batches == [[0], [7]]


async def test_the_timeout_runs_anew_after_a_quiet_time() -> None:
    async with a_ledger(timeout=1.0) as ledger:
        assert await ledger.group.submit(1) == 10
        await asyncio.sleep(1.1)
        ledger.open.clear()
        with pytest.raises(Busy):
            await ledger.group.submit(2)
        ledger.open.set()
