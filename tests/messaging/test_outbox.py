"""What the relay does with large rows, with rows the broker refuses, and with old rows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTopicError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
    UnknownError,
)
from sqlalchemy import text

from shared.contracts import INBOUND_REJECTED, PRIVATE
from shared.contracts.intake import PrivateErased
from shared.ids import new_id
from shared.messaging.log_state import check_log
from shared.messaging.outbox import BATCH_BYTES, READY, by_bytes
from shared.messaging.refusals import is_refusal, send_again
from shared.messaging.restore import restore_log
from shared.messaging.retention import forget, prune
from shared.service import Runtime, Service
from tests.messaging import toy
from tests.messaging.conftest import rows, running, scalar, until
from tests.messaging.test_log import Pair, handled, log_of, received, tell, urged

TOO_LARGE = "x" * 1_500_000
"""More than the topic takes, less than the client refuses by itself."""
FETCH = by_bytes(f"SELECT id, body FROM outbox WHERE {READY} ORDER BY id", "id")


@pytest_asyncio.fixture
async def source(toy_runtime: Runtime) -> AsyncIterator[Service]:
    """The telling toy on empty tables; it does not run."""
    service = toy.build_source(toy_runtime)
    await service.migrate()
    yield service
    await service.engine.dispose()


@pytest_asyncio.fixture
async def connection(source: Service) -> AsyncIterator[asyncpg.Connection]:
    opened = await source.database.connect(name="test")
    yield opened
    await opened.close()


async def put(
    source: Service, *bodies: bytes | None, key: str | None, topic: str = PRIVATE
) -> None:
    async with source.transaction() as tx:
        for body in bodies:
            tx.publish(topic, key=key, body=body, headers={"ce_type": "private.recorded.v1"})


async def test_large_rows_are_fetched_by_bytes_and_the_others_are_not_read(
    source: Service, connection: asyncpg.Connection
) -> None:
    megabyte = bytes(range(256)) * 4096
    await put(source, b"small", *[megabyte] * 40, key="k", topic=INBOUND_REJECTED)
    fetched = await connection.fetch(FETCH)
    assert [len(r["body"]) for r in fetched] == [5, *[len(megabyte)] * 3]
    explain = "EXPLAIN (ANALYZE, BUFFERS, SERIALIZE BINARY, FORMAT JSON) "
    plan = json.loads(await connection.fetchval(explain + FETCH))[0]
    parts = plan["Plan"], plan["Serialization"]
    read = sum(p["Shared Hit Blocks"] + p["Shared Read Blocks"] for p in parts)
    assert read * 8192 < 2 * BATCH_BYTES


async def test_a_row_larger_than_a_batch_goes_alone(
    source: Service, connection: asyncpg.Connection
) -> None:
    await put(source, b"a", bytes(BATCH_BYTES + 1), b"b", key="k", topic=INBOUND_REJECTED)
    await connection.execute("UPDATE outbox SET published_at = now() WHERE body = 'a'")
    assert [len(r["body"]) for r in await connection.fetch(FETCH)] == [BATCH_BYTES + 1]


async def test_large_rows_reach_the_log_in_order(source: Service) -> None:
    bodies = [n.to_bytes(2) * 500_000 for n in range(12)]
    await put(source, *bodies, key=new_id(), topic=INBOUND_REJECTED)
    async with running(source):
        await until(lambda: _none(source, "published_at IS NULL"))
    offsets = await rows(source, 'SELECT "offset" FROM outbox ORDER BY id')
    assert [r[0] for r in offsets] == sorted(r[0] for r in offsets)


async def test_a_row_the_broker_refuses_is_set_aside_and_its_case_waits_behind_it(
    pair: Pair,
) -> None:
    source, reader = pair
    bad, good, other = new_id(), new_id(), new_id()
    await tell(source, received(good), received(bad, TOO_LARGE), urged(bad), urged(good))
    await until(lambda: heard_as(reader, good, "ru"))
    await tell(source, received(other), urged(bad))
    await until(lambda: heard_as(reader, other, "r"))
    reason = "SELECT refused FROM outbox WHERE key = :k AND refused IS NOT NULL"
    refused = await until(lambda: scalar(source, reason, k=bad))
    assert "MessageSizeTooLarge" in refused

    await until(lambda: _counts(source) == (0, 1, 2))
    assert "send-again" in source.warnings()[0]
    assert source.reasons() == []
    assert await handled(reader, bad) == ""

    body = received(bad).model_dump_json(exclude_none=True).encode()
    async with source.engine.begin() as connection:
        mend = text("UPDATE outbox SET body = :body WHERE refused IS NOT NULL")
        await connection.execute(mend, {"body": body})
    assert await send_again(source.engine) == 1
    await until(lambda: heard_as(reader, bad, "ruu"))
    assert [seq for source_, _, seq, _ in await log_of(source.runtime.kafka, bad)][:3] == [1, 2, 3]
    await until(lambda: source.warnings() == [])


async def test_what_stands_before_a_refused_row_is_sent_once(pair: Pair) -> None:
    source, _ = pair
    first, bad, last = new_id(), new_id(), new_id()
    await tell(source, received(first), received(bad, TOO_LARGE), received(last))
    await until(lambda: _none(source, "published_at IS NULL AND refused IS NULL"))
    emitted = [kind for _, kind, *_ in await log_of(source.runtime.kafka, first)]
    assert emitted.count("feedback.received.v1") == 1


async def test_topics_and_records_the_broker_does_not_know_stop_nobody(source: Service) -> None:
    async with running(source):
        await put(source, b"x", key="k", topic="no such topic!")
        await put(source, b"a compacted topic wants a key", key=None)
        await put(source, b"good", key="k")
        await until(lambda: _none(source, "published_at IS NULL AND refused IS NULL"))
    reasons = await rows(source, "SELECT refused FROM outbox ORDER BY id")
    assert [r[0] is None for r in reasons] == [False, False, True]
    assert "InvalidTopic" in reasons[0][0]


async def test_a_key_that_is_refused_is_overtaken_by_its_newer_row(source: Service) -> None:
    key = new_id()
    async with running(source):
        await put(source, TOO_LARGE.encode(), key=key)
        await until(lambda: source.outbox.refused == 1)
        await put(source, b"newer", key=key)
        await until(lambda: _none(source, "published_at IS NULL AND refused IS NULL"))
    assert await send_again(source.engine) == 0
    assert [bytes(r[0]) for r in await rows(source, "SELECT body FROM outbox")] == [b"newer"]


async def test_restoring_sets_aside_what_the_new_log_refuses(source: Service) -> None:
    bad, good = new_id(), new_id()
    async with running(source):
        await tell(source, received(bad), received(good), urged(bad), urged(good))
        await until(lambda: _none(source, "published_at IS NULL"))
    async with source.engine.begin() as connection:
        grow = text("UPDATE outbox SET body = :body WHERE key = :k AND seq = 1")
        await connection.execute(grow, {"body": TOO_LARGE.encode(), "k": bad})
    said: list[str] = []
    assert await restore_log([source], source.runtime.kafka, report=said.append) == 2
    assert "set aside" in said[-1]
    left = await rows(
        source, "SELECT key, seq, refused FROM outbox WHERE published_at IS NULL ORDER BY seq"
    )
    assert [(r.key, r.seq) for r in left] == [(bad, 1), (bad, 2)]
    assert [r.refused is None for r in left] == [False, True]
    ends = await rows(source, "SELECT DISTINCT generation FROM log_ends")
    assert [r[0] for r in ends] == [1]


async def test_what_compaction_made_worthless_is_deleted_and_nothing_else(
    source: Service, connection: asyncpg.Connection
) -> None:
    a, b, case = new_id(), new_id(), new_id()
    async with running(source):
        await put(source, b"a1", b"a2", b"a3", key=a)
        await put(source, b"b1", key=b)
        await put(source, b"old", b"young", key="x", topic=INBOUND_REJECTED)
        await tell(source, received(case), urged(case))
        await until(lambda: _none(source, "published_at IS NULL"))
    await connection.execute(
        "UPDATE outbox SET published_at = now() - interval '31 days' WHERE body = 'old' OR seq > 0"
    )
    await put(source, b"b2 waits", key=b)
    assert await prune(connection) == 3
    left = await rows(source, "SELECT body FROM outbox WHERE seq IS NULL ORDER BY id")
    assert [bytes(r[0]) for r in left] == [b"a3", b"b1", b"young", b"b2 waits"]
    assert await scalar(source, "SELECT count(*) FROM outbox WHERE seq > 0") == 2
    await check_log(connection, source.runtime.kafka)


async def test_a_restored_log_does_not_know_a_person_who_was_forgotten(source: Service) -> None:
    case, other = new_id(), new_id()
    async with running(source):
        for key in (case, f"{case}/words", other):
            await put(source, b"a name", key=key)
        await put(source, b"{}", key=f"{case}/erased/desk")
        await until(lambda: _none(source, "published_at IS NULL"))
    await put(source, TOO_LARGE.encode(), key=f"{case}/unsent")
    async with source.transaction() as tx:
        await tx.lock(case)
        await forget(tx, case)
        tx.emit(PrivateErased(feedback_id=case, at=datetime.now(UTC)))
    assert await scalar(source, "SELECT count(*) FROM outbox WHERE body = 'a name'") == 1
    before = await _ends(source.runtime.kafka)
    assert await restore_log([source], source.runtime.kafka) == 6
    found = await _since(source.runtime.kafka, before)
    bodies = {key: body for key, body, _ in found}
    assert bodies == {
        case: None,
        f"{case}/words": None,
        f"{case}/unsent": None,
        f"{case}/erased/desk": b"{}",
        other: b"a name",
    }
    types = {key: kind for key, body, kind in found if body is None}
    assert set(types.values()) == {"private.erased.v1"}


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (MessageSizeTooLargeError(), True),
        (InvalidTopicError(), True),
        (CorruptRecordException(), True),
        (UnknownError(), True),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), True),
        (KafkaConnectionError(), False),
        (NotEnoughReplicasError(), False),
        (TopicAuthorizationFailedError("t"), False),
        (OSError(), False),
    ],
)
def test_only_what_is_about_the_row_is_a_refusal(error: Exception, refusal: bool) -> None:
    assert is_refusal(error) is refusal


async def heard_as(reader: Service, case: str, order: str) -> bool:
    return await handled(reader, case) == order


def _counts(service: Service) -> tuple[int, int, int]:
    return service.outbox.waiting, service.outbox.refused, service.outbox.held


async def _none(service: Service, condition: str) -> bool:
    return await scalar(service, f"SELECT count(*) FROM outbox WHERE {condition}") == 0


async def _ends(kafka: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(
            [TopicPartition(PRIVATE, n) for n in range(12)]
        )
        return ends
    finally:
        await consumer.stop()


async def _since(
    kafka: str, before: dict[TopicPartition, int]
) -> list[tuple[str, bytes | None, str]]:
    """``(key, body, type)`` of what was added to ``feedback.private`` since."""
    ends = await _ends(kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        consumer.assign(list(before))
        for tp, offset in before.items():
            consumer.seek(tp, offset)
        found = []
        while any([await consumer.position(tp) < ends[tp] for tp in before]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for r in batch:
                    found.append((r.key.decode(), r.value, dict(r.headers)["ce_type"].decode()))
        return found
    finally:
        await consumer.stop()
