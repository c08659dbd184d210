"""The plumbing on a real broker: order, once, burial, parking, redrive, take-over, restore."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text

from shared.cli import take_in_again
from shared.contracts import EVENTS, Event
from shared.contracts.desk import CaseOpened
from shared.contracts.intake import FeedbackRated, FeedbackReceived, FeedbackUrged
from shared.embedded import EmbeddedKafka, EmbeddedPostgres
from shared.ids import new_id
from shared.messaging.failures import is_transient
from shared.messaging.log_state import LogLost
from shared.messaging.producer import new_producer
from shared.messaging.restore import RelayRunning, lost_services, restore_log
from shared.messaging.streams import CaseNotLocked
from shared.messaging.topics import create_topics
from shared.messaging.transaction import WrongOwner
from shared.service import Runtime, Service
from tests import support
from tests.messaging import toy
from tests.messaging.conftest import few_at_once, rows, running, scalar, until

Pair = tuple[Service, Service]

# Of these cases alone: a group of its own begins with what the tests before it left in the log.
_IN_ORDER = 'SELECT count(*) FROM handled WHERE "order" = :order AND feedback_id = ANY(:cases)'


def received(feedback_id: str, words: str = "hello") -> FeedbackReceived:
    return FeedbackReceived(
        feedback_id=feedback_id, at=datetime.now(UTC), channel="web", text=words, code_hash="x"
    )


def urged(feedback_id: str) -> FeedbackUrged:
    return FeedbackUrged(feedback_id=feedback_id, at=datetime.now(UTC))


async def tell(source: Service, *events: Event) -> None:
    async with source.transaction() as tx:
        await tx.lock(*{e.feedback_id for e in events})
        for event in events:
            tx.emit(event)


async def log_of(kafka: str, feedback_id: str) -> list[tuple[str, str, int, str]]:
    """``(source, type, sequence, ce_id)`` of a case as the topic has it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        partitions = [TopicPartition(EVENTS, n) for n in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for r in batch:
                    if r.key == feedback_id.encode():
                        h = {k: v.decode() for k, v in r.headers}
                        found.append(
                            (h["ce_source"], h["ce_type"], int(h["ce_sequence"]), h["ce_id"])
                        )
        return found
    finally:
        await consumer.stop()


async def handled(reader: Service, feedback_id: str) -> str:
    return (
        await scalar(reader, 'SELECT "order" FROM handled WHERE feedback_id = :i', i=feedback_id)
    ) or ""


async def test_events_of_many_cases_arrive_in_order_and_once(pair: Pair) -> None:
    source, reader = pair
    cases = [new_id() for _ in range(200)]

    async def one(case: str) -> None:
        await tell(source, received(case))
        for _ in range(4):
            await tell(source, urged(case))

    await few_at_once(one(c) for c in cases)
    await until(lambda: _equal(scalar(reader, _IN_ORDER, order="ruuuu", cases=cases), 200))
    sequences = await rows(
        reader,
        "SELECT key, array_agg(seq ORDER BY id) AS s FROM outbox WHERE key = ANY(:cases) "
        "GROUP BY key",
        cases=cases,
    )
    assert {tuple(r.s) for r in sequences} == {(1, 2, 3, 4, 5)}


async def test_a_cause_stands_before_its_effect_in_the_topic(pair: Pair) -> None:
    source, reader = pair
    case = new_id()
    await tell(source, received(case))
    await until(
        lambda: scalar(
            reader,
            "SELECT count(*) FROM outbox WHERE key = :k AND published_at IS NOT NULL",
            k=case,
        )
    )
    log = await log_of(reader.runtime.kafka, case)
    assert [(s, t) for s, t, _, _ in log] == [
        ("intake", "feedback.received.v1"),
        ("desk", "case.opened.v1"),
    ]


async def test_an_event_delivered_five_times_has_one_effect(pair: Pair) -> None:
    source, reader = pair
    case = new_id()
    await tell(source, received(case))
    await until(lambda: handled(reader, case))
    row = (await rows(source, "SELECT headers, body FROM outbox WHERE key = :k", k=case))[0]
    producer = new_producer(source.runtime.kafka)
    await producer.start()
    for _ in range(5):
        await producer.send_and_wait(
            EVENTS,
            value=row.body,
            key=case.encode(),
            headers=[(k, v.encode()) for k, v in row.headers.items()],
        )
    await producer.stop()
    await tell(source, urged(case))
    await until(lambda: _equal(handled(reader, case), "ru"))
    assert await scalar(reader, "SELECT count(*) FROM outbox WHERE key = :k", k=case) == 2


def said(service: Service) -> str:
    return " ".join(service.warnings())


async def test_a_poisoned_event_is_buried_and_its_case_waits_behind_it(pair: Pair) -> None:
    source, reader = pair
    bad, good = new_id(), new_id()
    await tell(source, received(bad, "poison"), received(good))
    await tell(source, urged(bad), urged(good))
    await until(lambda: _equal(handled(reader, good), "ru"))
    letters = "SELECT error, body FROM dead_letters WHERE feedback_id = :i ORDER BY id"
    await until(lambda: _length(rows(reader, letters, i=bad), 2))
    assert await handled(reader, bad) == ""
    letter, parked = await rows(reader, letters, i=bad)
    assert parked.error is None
    assert "Poison" in letter.error
    assert b'"text":"poison"' in letter.body
    # Nobody looks at a case that stands still unless readiness says so.
    await until(lambda: f"python -m services.{reader.name} redrive {bad}" in said(reader))
    assert "dead letters: 1 events" in said(reader)
    assert f"stand still: {bad}; " in said(reader)
    assert reader.reasons() == []

    refused = [r async for r in reader.redrive(bad)]
    assert [r.error is None for r in refused] == [False]

    reader.deps["antidote"] = True
    taken = [r.error async for r in reader.redrive(bad)]
    assert taken == [None, None]
    assert await handled(reader, bad) == "ru"
    assert await rows(reader, letters, i=bad) == []
    await until(lambda: reader.warnings() == [])


async def test_the_command_says_where_nothing_is_refused_or_parked(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    source, reader = pair
    bad = new_id()
    await tell(source, received(bad, "poison"))
    letters = "SELECT error FROM dead_letters WHERE feedback_id = :i"
    await until(lambda: _length(rows(reader, letters, i=bad), 1))
    for unknown in (new_id(), "nonsense"):
        assert not await take_in_again(reader, unknown)
        assert f"no event is refused or parked under {unknown}" in capsys.readouterr().out
    assert not await take_in_again(reader, bad)
    assert "0 processed, the rest waits" in capsys.readouterr().out
    reader.deps["antidote"] = True
    assert await take_in_again(reader, bad)
    assert "1 processed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "event_type"),
    [
        (b"not json", b"feedback.received.v1"),
        (b'{"a":' * 9000, b"feedback.received.v1"),
        (b'{"feedback_id": "\\u0000"}', b"feedback.urged.v1"),
        (b"{}", b"feedback.received.v1"),
    ],
)
async def test_garbage_in_the_topic_stops_nobody(
    pair: Pair, value: bytes, event_type: bytes
) -> None:
    source, reader = pair
    bad = new_id()
    headers = [
        ("ce_type", event_type),
        ("ce_id", b"\xff\xfe"),
        ("ce_source", b"intake"),
        ("ce_subject", bad.encode()),
        ("ce_sequence", b"1"),
        ("x", b"\xff"),
    ]
    producer = new_producer(source.runtime.kafka)
    await producer.start()
    await producer.send_and_wait(EVENTS, value=value, key=bad.encode(), headers=headers)
    await producer.send_and_wait(EVENTS, value=value, key=b"\xff\x00", headers=headers[:2])
    await producer.stop()
    case = new_id()
    await tell(source, received(case))
    await until(lambda: handled(reader, case))
    buried = "SELECT count(*) FROM dead_letters WHERE body = :b AND error IS NOT NULL"
    await until(lambda: _equal(scalar(reader, buried, b=value), 1))


async def test_an_event_needs_its_owner_and_the_lock(pair: Pair) -> None:
    source, _ = pair
    with pytest.raises(WrongOwner):
        async with source.transaction() as tx:
            await tx.lock("x")
            tx.emit(CaseOpened(feedback_id="x", at=tx.now))
    with pytest.raises(CaseNotLocked):
        async with source.transaction() as tx:
            tx.emit(received("y"))
    assert await scalar(source, "SELECT count(*) FROM outbox") == 0


async def test_a_second_member_takes_over_without_a_gap_or_a_repetition(
    pair: Pair, toy_runtime: Runtime
) -> None:
    source, reader = pair
    cases = [new_id() for _ in range(60)]
    await few_at_once(tell(source, received(c)) for c in cases)
    second_runtime = support.make_runtime(
        toy_runtime.database, toy_runtime.kafka, toy_runtime.settings.data
    )
    second_runtime.replica = "second"
    second = toy.build(second_runtime, group=reader.group)
    async with running(second):
        for _ in range(3):
            await few_at_once(tell(source, urged(c)) for c in cases)
        await until(lambda: _equal(scalar(second, _IN_ORDER, order="ruuu", cases=cases), 60))
    for _ in range(2):
        await few_at_once(tell(source, urged(c)) for c in cases)
    await until(lambda: _equal(scalar(reader, _IN_ORDER, order="ruuuuu", cases=cases), 60))
    emitted = "SELECT count(*) FROM outbox WHERE key = ANY(:cases)"
    assert await scalar(reader, emitted, cases=cases) == 60 * 6


async def test_only_one_relay_publishes_and_the_next_takes_over(
    pair: Pair, toy_runtime: Runtime
) -> None:
    source, _ = pair
    standby = toy.build_source(toy_runtime)
    async with running(standby):
        assert standby.relay is not None
        await asyncio.sleep(1)
        assert not standby.relay.health.holds_lock
        assert source.relay is not None
        await source.relay.stop()
        case = new_id()
        await tell(source, received(case))
        await until(
            lambda: scalar(source, "SELECT published_at FROM outbox WHERE key = :k", k=case)
        )
        assert standby.relay.health.holds_lock


async def test_a_database_that_goes_away_only_makes_everybody_wait(
    pair: Pair, toy_servers: object
) -> None:
    source, reader = pair
    postgres: EmbeddedPostgres = toy_servers.postgres  # type: ignore[attr-defined]
    first, second = new_id(), new_id()
    await tell(source, received(first))
    await until(lambda: handled(reader, first))
    await asyncio.to_thread(postgres.kill)
    await postgres.start()
    await until(lambda: _tells(source, received(second)))
    await until(lambda: _patiently(handled(reader, second)))
    buried = "SELECT count(*) FROM dead_letters WHERE feedback_id IN (:a, :b)"
    assert await scalar(reader, buried, a=first, b=second) == 0


async def test_a_broker_that_is_killed_costs_nothing(pair: Pair, toy_servers: object) -> None:
    source, reader = pair
    kafka: EmbeddedKafka = toy_servers.kafka  # type: ignore[attr-defined]
    cases = [new_id() for _ in range(20)]
    await few_at_once(tell(source, received(c)) for c in cases)
    await asyncio.to_thread(kafka.kill)
    await few_at_once(tell(source, urged(c)) for c in cases)
    await kafka.start()
    await until(lambda: _equal(scalar(reader, _IN_ORDER, order="ru", cases=cases), 20))
    emitted = "SELECT count(*) FROM outbox WHERE key = ANY(:cases)"
    assert await scalar(reader, emitted, cases=cases) == 40


async def test_a_lost_log_comes_back_from_the_outboxes_in_order(
    tmp_path: object, toy_servers: object, toy_runtime: Runtime
) -> None:
    source, reader = toy.build_source(toy_runtime), toy.build(toy_runtime, group=new_id())
    await asyncio.gather(source.migrate(), reader.migrate())
    case = new_id()
    async with running(source), running(reader):
        await tell(source, received(case))
        await until(lambda: handled(reader, case))
        await tell(source, urged(case))
        count = "SELECT count(*) FROM outbox WHERE key = :k AND published_at IS NOT NULL"
        await until(lambda: _equal(scalar(reader, count, k=case), 2))
        before = await log_of(toy_runtime.kafka, case)
        with pytest.raises(RelayRunning):
            await restore_log([source, reader], toy_runtime.kafka)

    other = EmbeddedKafka(tmp_path)  # type: ignore[arg-type]
    address = await other.start()
    try:
        await create_topics(address)
        lost = await lost_services([source, reader], address)
        assert set(lost) == {"intake", "desk"}
        async with source.transaction() as tx:
            await tx.lock(case)
            tx.emit(urged(case))
        await restore_log([source, reader], address)
        assert await lost_services([source, reader], address) == {}
        restored = await log_of(address, case)
        assert restored[:4] == before
        assert restored[4][:3] == ("intake", "feedback.urged.v1", 3)

        moved = support.make_runtime(toy_runtime.database, address, toy_runtime.settings.data)
        source2, reader2 = toy.build_source(moved), toy.build(moved, group=reader.group)
        async with running(source2), running(reader2):
            await until(lambda: _equal(handled(reader2, case), "ruu"))
            emitted = await scalar(reader2, "SELECT count(*) FROM outbox WHERE key = :k", k=case)
            assert emitted == 3
    finally:
        await other.stop()
        for service in (source, reader):
            await service.engine.dispose()


async def test_a_relay_refuses_to_add_to_a_log_that_lost_what_it_had(
    pair: Pair, tmp_path: object
) -> None:
    source, reader = pair
    case = new_id()
    await tell(source, received(case))
    await until(lambda: handled(reader, case))
    async with source.engine.begin() as connection:
        await connection.execute(text('UPDATE log_ends SET "offset" = "offset" + 1000000'))
    lost = await lost_services([source], source.runtime.kafka)
    assert "python -m services restore-log" in str(lost["intake"])
    assert issubclass(LogLost, Exception)


async def test_what_is_passed_over_behind_a_wanted_event_is_done_with_too(pair: Pair) -> None:
    source, reader = pair
    assert reader.relay is not None
    await reader.relay.stop()  # its answer would come behind, and hide what is not done with
    case = new_id()
    rated = FeedbackRated(feedback_id=case, at=datetime.now(UTC), stars=5, solved="yes")
    await tell(source, received(case), rated, rated.model_copy())
    await until(lambda: _nothing_unread(reader))


async def _nothing_unread(reader: Service) -> bool:
    """Whether the group's committed places are the ends of the log, as an operator sees it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=reader.runtime.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=reader.runtime.kafka)
    await asyncio.gather(admin.start(), consumer.start())
    try:
        done = await admin.list_consumer_group_offsets(reader.group)
        ends = await consumer.end_offsets([TopicPartition(EVENTS, n) for n in range(12)])
        return all(end == (done[tp].offset if tp in done else 0) for tp, end in ends.items())
    finally:
        await asyncio.gather(admin.close(), consumer.stop())


async def _equal(coroutine: object, expected: object) -> bool:
    return (await coroutine) == expected  # type: ignore[misc]


async def _length(coroutine: object, expected: int) -> bool:
    return len(await coroutine) == expected  # type: ignore[misc]


async def _patiently(coroutine: object) -> object:
    """What it answers; None while the database is not back yet."""
    try:
        return await coroutine  # type: ignore[misc]
    except Exception as error:
        assert is_transient(error), error
        return None


async def _tells(source: Service, event: FeedbackReceived) -> bool:
    try:
        await tell(source, event)
    except Exception as error:
        assert is_transient(error), error
        return False
    return True
