"""A database that is older than the log is brought up to it, and nothing is emitted twice."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from shared.contracts import EVENTS
from shared.ids import new_id
from shared.messaging.offsets import committed_by, ends_of, set_offsets
from shared.messaging.recollecting import LogDisagrees, recollect
from shared.service import Service
from tests.messaging.conftest import rows, running, scalar, until
from tests.messaging.test_log import Pair, handled, log_of, received, tell, urged

Offsets = dict[TopicPartition, int]


async def told(pair: Pair) -> tuple[str, Offsets]:
    """A case that both have done with, and where the log stood before; nobody runs any more."""
    source, reader = pair
    before = await ends_of(source.runtime.kafka, [EVENTS])
    case = new_id()
    for event in (received(case), urged(case), urged(case)):
        await tell(source, event)
    await until(lambda: _published(reader, case, 3))
    await source.stop()
    await reader.stop()
    return case, before


async def _published(service: Service, case: str, number: int) -> bool:
    count = "SELECT count(*) FROM outbox WHERE key = :k AND published_at IS NOT NULL"
    return bool(await scalar(service, count, k=case) == number)


async def outbox(service: Service, case: str) -> list[tuple[int, str, bool]]:
    found = await rows(
        service, "SELECT seq, ce_id, published_at FROM outbox WHERE key = :k ORDER BY seq", k=case
    )
    return [(r.seq, r.ce_id, r.published_at is not None) for r in found]


async def lose(service: Service, case: str, *, after: int) -> None:
    """The database as it was when the service had emitted so much about the case."""
    async with service.transaction() as tx:
        await tx.fetch("DELETE FROM outbox WHERE key = $1 AND seq > $2", case, after)
        await tx.fetch("UPDATE streams SET seq = $2 WHERE feedback_id = $1", case, after)
        if not after:
            await tx.fetch("DELETE FROM streams WHERE feedback_id = $1", case)
            await tx.fetch("DELETE FROM handled WHERE feedback_id = $1", case)


async def test_own_events_come_back_under_their_numbers_and_the_next_is_new(pair: Pair) -> None:
    source, reader = pair
    case, before = await told(pair)
    whole = await outbox(source, case)
    await lose(source, case, after=1)
    done = await recollect(source, before, None)
    # The log is that of other tests as well.
    assert case in done.cases
    assert await outbox(source, case) == whole
    assert (await recollect(source, before, None)).events == 0
    async with running(source), running(reader):
        await tell(source, urged(case))
        await until(lambda: _handled(reader, case, "ruuu"))


async def _handled(reader: Service, case: str, order: str) -> bool:
    return await handled(reader, case) == order


async def test_what_was_read_is_read_again_and_what_it_led_to_is_not_emitted_again(
    pair: Pair,
) -> None:
    _, reader = pair
    case, before = await told(pair)
    whole, log = await outbox(reader, case), await log_of(reader.runtime.kafka, case)
    await lose(reader, case, after=0)
    done = await recollect(reader, before, None)
    assert case in done.cases
    assert await handled(reader, case) == "ruu"
    assert await outbox(reader, case) == whole
    async with running(reader):
        await until(lambda: not reader.reasons())
        assert await log_of(reader.runtime.kafka, case) == log


async def test_what_never_reached_the_log_is_emitted_now_and_once(pair: Pair) -> None:
    source, reader = pair
    case, before = await told(pair)
    async with running(source):
        await tell(source, urged(case))
        await until(lambda: _published(source, case, 4))
    # The lost database had read it; its answer never got out.
    await recollect(reader, before, None)
    await recollect(reader, before, None)
    assert [(seq, out) for seq, _, out in await outbox(reader, case)] == [
        (1, True),
        (2, True),
        (3, True),
        (4, False),
    ]


async def test_what_was_not_read_before_is_left_for_the_running_service(pair: Pair) -> None:
    source, reader = pair
    case, before = await told(pair)
    groups = await committed_by(reader.runtime.kafka, [reader.group])
    async with running(source):
        await tell(source, urged(case))
        await until(lambda: _published(source, case, 4))
    await lose(reader, case, after=0)
    done = await recollect(reader, before, groups[reader.group])
    assert await handled(reader, case) == "ruu"
    await set_offsets(reader.runtime.kafka, reader.group, done.next)
    async with running(reader):
        await until(lambda: _handled(reader, case, "ruuu"))
        await until(lambda: _published(reader, case, 4))
    numbers = [n for s, _, n, _ in await log_of(reader.runtime.kafka, case) if s == "desk"]
    assert numbers == [1, 2, 3, 4]


async def test_a_service_that_ran_on_the_old_database_is_found_out(pair: Pair) -> None:
    source, _ = pair
    case, before = await told(pair)
    await lose(source, case, after=1)
    await tell(source, urged(case))
    with pytest.raises(LogDisagrees, match=f"number 2 of case {case}"):
        await recollect(source, before, None)
