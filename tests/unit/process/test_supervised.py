"""Tasks nobody awaits: what ends them is said, and they are started again."""

from __future__ import annotations

import asyncio

import pytest

from shared.messaging.failures import Backoff
from shared.messaging.group_commit import Busy, GroupCommit
from shared.tasks import Supervised
from tests.patience import PATIENCE


class Worker:
    """Ends as it is told, each time it runs."""

    def __init__(self, *endings: BaseException | None) -> None:
        self.endings = list(endings)
        self.runs = 0
        self.again = asyncio.Event()
        self.task = Supervised("worker", self._work, backoff=Backoff(0.001, 0.001))

    async def _work(self) -> None:
        self.runs += 1
        if not self.endings:
            self.again.set()
            await asyncio.Event().wait()
        if (ending := self.endings.pop(0)) is not None:
            raise ending


@pytest.mark.parametrize(
    "ending", [RuntimeError("a bug"), OSError("away"), asyncio.CancelledError(), None]
)
async def test_whatever_ends_a_task_it_runs_again(ending: BaseException | None) -> None:
    worker = Worker(ending)
    worker.task.start()
    await asyncio.wait_for(worker.again.wait(), PATIENCE)
    assert worker.runs == 2
    assert worker.task.error is None
    await worker.task.stop()
    assert worker.runs == 2


async def test_it_says_what_ended_it_until_it_runs_again() -> None:
    worker = Worker(RuntimeError("a bug"))
    worker.task = Supervised("worker", worker._work, backoff=Backoff(3600, 3600))
    worker.task.start()
    while worker.task.error is None:
        await asyncio.sleep(0)
    assert worker.task.error == "worker: RuntimeError"
    await worker.task.stop()
    assert worker.runs == 1


async def test_a_writer_that_dies_in_the_middle_answers_busy_and_writes_the_next() -> None:
    written: list[int] = []
    dying = True

    class Nothing:
        async def __aenter__(self) -> None:
            return None

        async def __aexit__(self, *_: object) -> None:
            return None

    async def write(_: object, items: list[int]) -> list[int | Exception]:
        nonlocal dying
        if dying:
            dying = False
            raise asyncio.CancelledError
        written.extend(items)
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(Nothing, write)  # type: ignore[arg-type]
    group._task = Supervised("group commit", group._run, backoff=Backoff(0.001, 0.001))
    await group.start()
    with pytest.raises(Busy):
        await group.submit(1)
    assert await group.submit(2) == 2
    assert written == [2]
    await group.stop()
