"""An event that always runs out of time is its own fault, when nothing else does."""

from __future__ import annotations

import asyncpg
import pytest

from shared.contracts import Event
from shared.ids import new_id
from shared.messaging import processing
from shared.messaging.failures import Backoff
from tests.messaging.conftest import rows, until
from tests.messaging.test_log import Pair, handled, received, tell


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_it_is_buried_after_a_few_tries_and_the_others_go_on(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    source, reader = pair
    monkeypatch.setattr(Backoff, "next", lambda _: 0.0)
    slow = new_id()
    tries = 0

    async def run_out_of_time(event: Event) -> None:
        nonlocal tries
        if event.feedback_id == slow:
            tries += 1
            raise error

    monkeypatch.setitem(reader.deps, "before", run_out_of_time)
    others = [new_id() for _ in range(20)]
    await tell(source, *(received(i) for i in (*others[:10], slow, *others[10:])))
    letters = "SELECT error FROM dead_letters WHERE feedback_id = :i"
    ((reason,),) = await until(lambda: rows(reader, letters, i=slow))
    assert reason.startswith(f"{type(error).__name__}, {processing.TIMEOUT_TRIES} times")
    # Once more in the batch it came with, before it was known which event it was.
    assert tries > processing.TIMEOUT_TRIES
    for other in others:
        await until(lambda other=other: handled(reader, other))


async def test_while_the_database_does_not_answer_nothing_is_buried(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, reader = pair
    monkeypatch.setattr(Backoff, "next", lambda _: 0.0)
    tries = 0
    case = new_id()
    away = reader.transaction

    def no_answer():  # type: ignore[no-untyped-def]
        nonlocal tries
        tries += 1
        if tries <= 4 * processing.TIMEOUT_TRIES:
            raise TimeoutError
        return away()

    assert reader.consumer is not None
    monkeypatch.setattr(reader.consumer._processor, "_open", no_answer)
    await tell(source, received(case))
    await until(lambda: handled(reader, case))
    assert tries > 4 * processing.TIMEOUT_TRIES
    assert await rows(reader, "SELECT 1 FROM dead_letters WHERE feedback_id = :i", i=case) == []
