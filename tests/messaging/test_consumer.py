"""How far a consumer is, on a real broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.ids import new_id
from shared.messaging.kafka_seams import client_of
from shared.messaging.topics import PARTITIONS
from tests.messaging.conftest import until
from tests.messaging.test_log import Pair, handled, received, tell

ALL = frozenset(range(PARTITIONS))


async def test_a_consumer_knows_its_partitions_and_when_nothing_waits_in_them(pair: Pair) -> None:
    source, reader = pair
    consumer = reader.consumer
    assert consumer is not None
    assert consumer.partitions() == ALL
    assert consumer.caught_up() == frozenset(), "the first call only begins to watch"
    await until(lambda: consumer.caught_up() == ALL)
    case = new_id()
    await tell(source, received(case))
    await until(lambda: handled(reader, case))
    await until(lambda: consumer.caught_up() == ALL)


async def test_a_partition_with_an_event_under_way_is_not_caught_up(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, reader = pair
    consumer = reader.consumer
    assert consumer is not None
    await until(lambda: consumer.caught_up() == ALL)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> None:
        reached.set()
        await go_on.wait()

    monkeypatch.setitem(reader.deps, "before", slow)
    case = new_id()
    await tell(source, received(case))
    await reached.wait()
    behind = ALL - consumer.caught_up()
    assert len(behind) == 1
    go_on.set()
    await until(lambda: handled(reader, case))
    await until(lambda: consumer.caught_up() == ALL)


async def test_a_subscriber_without_a_handler_neither_reads_nor_commits_by_itself(
    pair: Pair,
) -> None:
    """The seam of FastStream that the consumer stands on (`kafka_seams`)."""
    _, reader = pair
    assert reader.consumer is not None
    subscriber = reader.consumer._subscriber
    client = client_of(subscriber)
    assert client.assignment()
    assert not client._enable_auto_commit
    assert client._isolation_level == "read_committed"
    assert not subscriber.tasks
