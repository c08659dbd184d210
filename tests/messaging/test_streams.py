"""Once by number: the lock, deliveries again, holes, letters; on PostgreSQL, without a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from shared.contracts import Event
from shared.contracts.intake import FeedbackReceived, FeedbackUrged
from shared.ids import new_id
from shared.messaging import dead_letters
from shared.messaging.dead_letters import heal, heal_all
from shared.messaging.envelope import Record
from shared.messaging.subscription import Subscription
from shared.service import Service
from tests.messaging import toy
from tests.messaging.conftest import blocked, rows, scalar
from tests.support import records


def story(service: Service, case: str, words: str = "hello", urged: int = 2) -> list[Record]:
    now = datetime.now(UTC)
    received = FeedbackReceived(feedback_id=case, at=now, channel="web", text=words, code_hash="x")
    urges = [FeedbackUrged(feedback_id=case, at=now) for _ in range(urged)]
    return records(service, received, *urges)


async def process(service: Service, *batch: Record) -> None:
    """As the consumer does: a transaction, and what it made healable."""
    async with service.transaction() as tx:
        await service.subscription.process_batch(tx, batch)
    await heal(service.transaction, service.subscription.apply_letter, tx.healable)


async def refuse(service: Service, record: Record) -> None:
    async with service.transaction() as tx:
        await service.subscription.refuse(tx, record, "a bug")
    await heal(service.transaction, service.subscription.apply_letter, tx.healable)


async def handled(service: Service, case: str) -> str:
    found = await scalar(service, 'SELECT "order" FROM handled WHERE feedback_id = :i', i=case)
    return found or ""


async def emitted(service: Service, case: str) -> list[int]:
    found = await rows(service, "SELECT seq FROM outbox WHERE key = :i ORDER BY id", i=case)
    return [r.seq for r in found]


async def letters(service: Service, case: str) -> list[tuple[str | None, str | None]]:
    found = await rows(
        service,
        "SELECT error, missing FROM dead_letters WHERE feedback_id = :i ORDER BY id",
        i=case,
    )
    assert len(found) == (
        await scalar(service, "SELECT letters FROM streams WHERE feedback_id = :i", i=case) or 0
    )
    return [(r.error, r.missing) for r in found]


# -- the lock ------------------------------------------------------------------------------


async def test_who_waited_for_the_lock_sees_the_letter_that_was_written_meanwhile(
    reader: Service,
) -> None:
    case = new_id()
    first, second, _ = story(reader, case)
    async with reader.transaction() as burying:
        await burying.lock(case)
        waiting = asyncio.create_task(process(reader, second))
        await blocked(reader)
        await reader.subscription.refuse(burying, first, "a bug")
    await waiting
    assert await handled(reader, case) == ""
    assert await letters(reader, case) == [("a bug", None), (None, None)]


async def test_who_waited_for_the_lock_sees_that_the_last_letter_is_gone(reader: Service) -> None:
    case = new_id()
    first, second, _ = story(reader, case)
    await refuse(reader, first)
    applied = asyncio.Event()

    async def slowly(tx: toy.Transaction, record: Record) -> None:
        await reader.subscription.apply_letter(tx, record)
        applied.set()
        await blocked(reader)

    redriving = dead_letters.redrive(reader.transaction, slowly, case)
    redriven = asyncio.create_task(anext(redriving))
    await applied.wait()
    await process(reader, second)
    assert (await redriven).error is None
    await redriving.aclose()
    assert await handled(reader, case) == "ru"
    assert await letters(reader, case) == []


async def test_rows_are_read_with_the_lock_and_anew_for_whom_somebody_changed_meanwhile(
    reader: Service,
) -> None:
    quiet, busy, fresh = (new_id() for _ in range(3))
    for case in (quiet, busy):
        await process(reader, story(reader, case)[0])
    locked = asyncio.Event()

    async def read() -> dict[str, str]:
        async with reader.transaction() as tx:
            locked.set()
            await tx.lock(quiet, busy, fresh, loading=(toy.Handled,))
            held = tx.rows(toy.Handled)
            return {c: "".join(row.order for row in held.for_case(c)) for c in (quiet, busy, fresh)}

    async with reader.transaction() as changing:
        await changing.lock(busy, fresh, loading=(toy.Handled,))
        reading = asyncio.create_task(read())
        await locked.wait()
        await blocked(reader)
        for case in (busy, fresh):
            changing.rows(toy.Handled).upsert(toy.Handled(feedback_id=case, order="changed"))
    assert await reading == {quiet: "r", busy: "changed", fresh: "changed"}


# -- once ----------------------------------------------------------------------------------


async def test_a_delivery_again_is_done_in_a_batch_and_across_batches(reader: Service) -> None:
    case = new_id()
    batch = story(reader, case)
    await process(reader, batch[0], batch[0], *batch, *batch)
    await process(reader, *batch)
    await process(reader, batch[1])
    assert await handled(reader, case) == "ruu"
    assert await emitted(reader, case) == [1, 2, 3]


async def test_two_owners_of_a_partition_apply_an_event_once(reader: Service) -> None:
    cases = [new_id() for _ in range(20)]
    batch = [r for case in cases for r in story(reader, case)]
    turned = [r for case in reversed(cases) for r in batch if r.feedback_id == case]
    await asyncio.gather(process(reader, *batch), process(reader, *turned), process(reader, *batch))
    assert {await handled(reader, c) for c in cases} == {"ruu"}
    assert {tuple(await emitted(reader, c)) for c in cases} == {(1, 2, 3)}


async def test_two_owners_bury_a_record_once(reader: Service) -> None:
    case = new_id()
    first, second, _ = story(reader, case)
    await asyncio.gather(refuse(reader, first), refuse(reader, first))
    await asyncio.gather(process(reader, first, second), process(reader, second, first))
    assert await letters(reader, case) == [("a bug", None), (None, None)]


async def test_who_reads_some_types_does_not_ask_for_the_others(reader: Service) -> None:
    case = new_id()
    first, _, third = story(reader, case)
    await process(reader, first, third)
    assert await handled(reader, case) == "ru"


async def test_a_case_has_one_row_however_much_is_taken_in(reader: Service) -> None:
    case = new_id()
    await process(reader, *story(reader, case, urged=50))
    assert (await rows(reader, "SELECT seq, taken, letters FROM streams")) == [
        (51, {"intake": 51}, 0)
    ]


# -- letters -------------------------------------------------------------------------------


async def test_redriven_letters_are_applied_once_whatever_is_delivered_meanwhile(
    reader: Service,
) -> None:
    case = new_id()
    batch = story(reader, case, "poison")
    await refuse(reader, batch[0])
    await process(reader, *batch)
    assert await letters(reader, case) == [("a bug", None), (None, None), (None, None)]
    reader.deps["antidote"] = True
    async for done in reader.redrive(case):
        assert done.error is None
        await process(reader, *batch)
    assert await handled(reader, case) == "ruu"
    assert await emitted(reader, case) == [1, 2, 3]
    assert await letters(reader, case) == []


async def test_a_letter_refused_again_leaves_nothing_of_its_try(
    reader: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(event: Event, tx: toy.Transaction) -> None:
        await toy.handle(event, tx)
        raise toy.Poison

    case = new_id()
    first, second, _ = story(reader, case)
    await refuse(reader, first)
    await process(reader, second)
    whole = reader.subscription
    reader.subscription = Subscription({FeedbackReceived: half}, loads=(toy.Handled,))
    assert [r.error is None async for r in reader.redrive(case)] == [False]
    assert await emitted(reader, case) == []
    assert await handled(reader, case) == ""
    reader.subscription = whole
    assert [r.error async for r in reader.redrive(case)] == [None, None]
    assert await handled(reader, case) == "ru"


async def test_what_a_killed_redrive_left_is_taken_in_at_the_next_start(reader: Service) -> None:
    case = new_id()
    batch = story(reader, case)
    await refuse(reader, batch[0])
    await process(reader, *batch)
    redriving = reader.redrive(case)
    assert (await anext(redriving)).error is None
    await redriving.aclose()
    assert await handled(reader, case) == "r"
    await heal_all(reader.transaction, reader.subscription.apply_letter)
    assert await handled(reader, case) == "ruu"
    assert await letters(reader, case) == []


# -- holes ---------------------------------------------------------------------------------


async def test_a_case_waits_for_a_missing_number_and_says_for_which(seer: Service) -> None:
    case, other = new_id(), new_id()
    first, _, _, fourth = story(seer, case, urged=3)
    await process(seer, first, fourth, *story(seer, other))
    assert await handled(seer, case) == "r"
    assert await handled(seer, other) == "ruu"
    assert await letters(seer, case) == [(None, "intake 2-3")]
    assert await dead_letters.count(seer.engine) == (1, 0)
    assert [r.error async for r in seer.redrive(case)] == ["intake 2-3 is missing"]


@pytest.mark.parametrize(
    "order",
    [(0, 3, 2, 1), (3, 2, 1, 0), (0, 3, 3, 1, 2), (0, 2, 1, 0, 3), (1, 0, 3, 2), (2, 0, 1, 3)],
)
@pytest.mark.parametrize("together", [True, False])
async def test_what_was_missing_comes_and_the_rest_follows_in_order(
    seer: Service, order: Sequence[int], together: bool
) -> None:
    case = new_id()
    batch = story(seer, case, urged=3)
    given = [batch[n] for n in order]
    if together:
        await process(seer, *given)
    else:
        for record in given:
            await process(seer, record)
    assert await handled(seer, case) == "ruuu"
    assert await emitted(seer, case) == [1, 2, 3, 4]
    assert await letters(seer, case) == []


async def test_a_hole_behind_a_refused_event_waits_for_the_operator(seer: Service) -> None:
    case = new_id()
    first, second, third, fourth = story(seer, case, urged=3)
    await refuse(seer, first)
    await process(seer, fourth, second, third)
    assert await letters(seer, case) == [("a bug", None), (None, None), (None, None), (None, None)]
    assert await handled(seer, case) == ""
    assert [r.error async for r in seer.redrive(case)] == [None] * 4
    assert await handled(seer, case) == "ruuu"


async def test_what_is_refused_on_the_way_waits_for_the_operator(seer: Service) -> None:
    case = new_id()
    first, second, third = story(seer, case, "poison")
    await process(seer, second, third)
    await process(seer, first)
    assert [bool(error) for error, _ in await letters(seer, case)] == [False, False, True]
    seer.deps["antidote"] = True
    assert [r.error async for r in seer.redrive(case)] == [None] * 3
    assert await handled(seer, case) == "ruu"


async def test_an_operator_may_say_that_the_missing_will_never_come(seer: Service) -> None:
    case = new_id()
    first, second, third, fourth = story(seer, case, urged=3)
    await process(seer, first, third, fourth)
    assert [r.error async for r in seer.redrive(case, past_gaps=True)] == [None, None]
    assert await handled(seer, case) == "ruu"
    await process(seer, second)
    assert await handled(seer, case) == "ruu"
    assert await letters(seer, case) == []


async def test_two_owners_find_and_fill_a_hole_at_once(seer: Service) -> None:
    cases = [new_id() for _ in range(10)]
    stories = [story(seer, c, urged=3) for c in cases]
    early = [r for s in stories for r in (s[0], s[3], s[2])]
    whole = [r for s in stories for r in s]
    await asyncio.gather(process(seer, *early), process(seer, *whole), process(seer, *early))
    await process(seer, *whole)
    assert {await handled(seer, c) for c in cases} == {"ruuu"}
    assert {tuple(await emitted(seer, c)) for c in cases} == {(1, 2, 3, 4)}
    for case in cases:
        assert await letters(seer, case) == []
