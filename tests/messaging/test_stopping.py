"""When dead letters mean that the fault is ours, and when they do not."""

from __future__ import annotations

import pytest

from shared.contracts import Event
from shared.ids import new_id
from shared.messaging.failures import TOO_MANY_REFUSED
from shared.messaging.processing import BURIED_IN_A_ROW
from tests.messaging.conftest import scalar, until
from tests.messaging.test_log import Pair, handled, received, tell

HERE = f"poison {new_id()}"
"""What the toy of this module alone cannot bear: the log is shared with other tests."""
BURIED = "SELECT count(*) FROM dead_letters WHERE feedback_id = :i"


async def test_bad_events_with_good_ones_between_them_stop_nobody(pair: Pair) -> None:
    source, reader = pair
    assert reader.consumer is not None
    reader.deps["poison"] = HERE
    for _ in range(BURIED_IN_A_ROW + 2):
        bad, good = new_id(), new_id()
        await tell(source, received(bad, HERE))
        await until(lambda bad=bad: scalar(reader, BURIED, i=bad))
        await tell(source, received(good))
        await until(lambda good=good: handled(reader, good))
    assert not reader.consumer.health.stopped


async def test_bad_events_in_a_row_end_the_process_also_when_one_poll_brings_them_all(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, reader = pair
    reader.deps["poison"] = HERE
    consumer = reader.consumer
    assert consumer is not None
    await until(lambda: consumer.caught_up() == consumer.partitions())
    # The log of earlier tests may end with bad ones, and those would count.
    good = new_id()
    await tell(source, received(good))
    await until(lambda: handled(reader, good))
    before = await scalar(reader, "SELECT count(*) FROM dead_letters")
    ended: list[tuple[str, int]] = []
    monkeypatch.setattr(reader.runtime, "stop", lambda *how: ended.append(how))

    async def wait_for_the_rest(_: Event) -> None:
        waiting = "SELECT count(*) = 0 FROM outbox WHERE published_at IS NULL"
        await until(lambda: scalar(source, waiting))

    monkeypatch.setitem(reader.deps, "before", wait_for_the_rest)
    await tell(source, *(received(new_id(), HERE) for _ in range(3 * BURIED_IN_A_ROW)))
    ((reason, status),) = await until(lambda: ended)
    refused = BURIED_IN_A_ROW + 1
    assert (reason, status) == (f"desk: {refused} events refused in a row", TOO_MANY_REFUSED)
    assert reader.reasons() == [f"consumer: {refused} events refused in a row"]
    assert await scalar(reader, "SELECT count(*) FROM dead_letters") == before + refused
