"""What strangers may write: every codec, transactions, and what nobody can decode."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from shared.contracts import INBOUND, INBOUND_REJECTED
from shared.embedded import Servers
from shared.ids import new_id
from shared.messaging import unreadable
from shared.messaging.decoding import LARGEST
from shared.messaging.kafka_seams import parse_batch
from shared.service import Service
from tests.messaging.conftest import rows, until
from tests.messaging.test_log import Pair, handled, received, tell

CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest_asyncio.fixture
async def stranger(pair: Pair) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=pair[1].runtime.kafka) as producer:
        yield producer


async def sent_back(reader: Service) -> list[Any]:
    return await rows(
        reader,
        "SELECT headers, body FROM outbox WHERE topic = :t ORDER BY id",
        t=INBOUND_REJECTED,
    )


async def send_batch(
    producer: AIOKafkaProducer, change: Callable[[bytearray], None], *bodies: str, partition: int
) -> None:
    """Bodies in one batch of their own, changed after it was made; its checksum is right."""
    batch = producer.create_batch()
    for body in bodies:
        batch.append(key=None, value=body.encode(), timestamp=None, headers=[("name", b"value")])
    raw = bytearray(batch._build())
    change(raw)
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    batch._buffer = bytes(raw)
    await (await producer.send_batch(batch, INBOUND, partition=partition))


def header_key_is_no_utf8(raw: bytearray) -> None:
    at = raw.index(b"name")
    raw[at : at + 4] = b"\xff\xfe\xff\xfe"


@pytest.mark.parametrize("codec", CODECS)
async def test_records_of_every_codec_are_read(pair: Pair, codec: str) -> None:
    _, reader = pair
    body = new_id()
    async with AIOKafkaProducer(
        bootstrap_servers=reader.runtime.kafka, compression_type=codec
    ) as producer:
        await producer.send_and_wait(INBOUND, body.encode(), partition=0)
    await until(lambda: handled(reader, body))
    assert reader.reasons() == []


async def test_what_was_aborted_is_never_read(pair: Pair) -> None:
    _, reader = pair
    aborted, committed = new_id(), new_id()
    async with AIOKafkaProducer(
        bootstrap_servers=reader.runtime.kafka, transactional_id=new_id()
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(INBOUND, aborted.encode(), partition=1)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(INBOUND, committed.encode(), partition=1)
    await until(lambda: handled(reader, committed))
    assert await handled(reader, aborted) == ""
    assert reader.consumer is not None
    # Markers of transactions stand at the end, and are shown to nobody: they are no lag.
    await until(lambda: reader.consumer and reader.consumer.measure_lag() == 0)


async def test_a_batch_that_cannot_be_decoded_goes_back_and_everything_else_goes_on(
    pair: Pair, stranger: AIOKafkaProducer
) -> None:
    source, reader = pair
    before, bad, after, elsewhere, case = (new_id() for _ in range(5))
    await stranger.send_and_wait(INBOUND, before.encode(), partition=2)
    await send_batch(stranger, header_key_is_no_utf8, bad, new_id(), partition=2)
    await stranger.send_and_wait(INBOUND, after.encode(), partition=2)
    await stranger.send_and_wait(INBOUND, elsewhere.encode(), partition=3)
    await tell(source, received(case))
    for wanted in (before, after, elsewhere, case):
        await until(lambda wanted=wanted: handled(reader, wanted))
    ((headers, body),) = [row for row in await sent_back(reader) if bad.encode() in row.body]
    assert headers["reason"].startswith("cannot be read (")
    batch = parse_batch(body)
    assert batch is not None
    assert batch.next - batch.first == 2
    assert reader.reasons() == []


async def test_a_batch_that_was_damaged_on_the_disk_goes_back_too(
    pair: Pair, stranger: AIOKafkaProducer, toy_servers: Servers
) -> None:
    _, reader = pair
    assert reader.consumer is not None
    assert toy_servers.kafka is not None
    await reader.consumer.stop()
    damaged, after = new_id(), new_id()
    await stranger.send_and_wait(INBOUND, damaged.encode(), partition=7)
    await stranger.send_and_wait(INBOUND, after.encode(), partition=7)
    (segment,) = (toy_servers.kafka.logs / f"{INBOUND}-7").glob("*.log")
    with segment.open("r+b") as file:
        file.seek(segment.read_bytes().index(damaged.encode()))
        file.write(b"X")
    await reader.rejoin(reader.group)
    await until(lambda: handled(reader, after))
    reasons = [h["reason"] for h, body in await sent_back(reader) if damaged[1:].encode() in body]
    assert reasons == ["cannot be read (CorruptRecordException, compression none)"]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
async def test_a_megabyte_that_unpacks_to_gigabytes_goes_back_as_it_is(
    pair: Pair, stranger: AIOKafkaProducer, codec: str
) -> None:
    _, reader = pair
    after = new_id()
    async with AIOKafkaProducer(
        bootstrap_servers=reader.runtime.kafka,
        compression_type=codec,
        max_request_size=10**9,
        max_batch_size=10**9,
    ) as squeezing:
        await squeezing.send_and_wait(INBOUND, bytes(LARGEST + 1), partition=8)
    await stranger.send_and_wait(INBOUND, after.encode(), partition=8)
    await until(lambda: handled(reader, after))
    reasons = {headers["reason"]: len(body) for headers, body in await sent_back(reader)}
    assert reasons[f"cannot be read (RecordTooLargeError, compression {codec})"] < 100_000
    assert reader.reasons() == []


async def test_a_codec_that_is_not_installed_costs_only_its_own_batch(
    pair: Pair, stranger: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, reader = pair
    assert reader.consumer is not None
    await reader.consumer.stop()
    async with AIOKafkaProducer(
        bootstrap_servers=reader.runtime.kafka, compression_type="snappy"
    ) as squeezing:
        await squeezing.send_and_wait(INBOUND, new_id().encode(), partition=4)
    after = new_id()
    await stranger.send_and_wait(INBOUND, after.encode(), partition=4)
    monkeypatch.setattr("aiokafka.codec.has_snappy", lambda: False)
    await reader.rejoin(reader.group)
    await until(lambda: handled(reader, after))
    reasons = {headers["reason"] for headers, _ in await sent_back(reader)}
    assert "cannot be read (UnsupportedCodecError, compression snappy)" in reasons


async def test_where_nobody_may_step_over_it_stands_still_and_says_so(
    pair: Pair, stranger: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, reader = pair
    monkeypatch.setattr(unreadable, "STUCK", 0.5)
    ways = dict(reader.subscription.unreadable)
    reader.subscription.unreadable.clear()  # type: ignore[attr-defined]
    behind, elsewhere = new_id(), new_id()
    await send_batch(stranger, header_key_is_no_utf8, new_id(), partition=5)
    await stranger.send_and_wait(INBOUND, behind.encode(), partition=5)
    stuck = f"consumer: cannot read {INBOUND}-5 at offset "
    await until(lambda: any(reason.startswith(stuck) for reason in reader.reasons()))
    await stranger.send_and_wait(INBOUND, elsewhere.encode(), partition=6)
    await until(lambda: handled(reader, elsewhere))
    assert await handled(reader, behind) == ""
    # Once there is a way over it, it is found without a restart.
    reader.subscription.unreadable.update(ways)  # type: ignore[attr-defined]
    await until(lambda: handled(reader, behind))
    await until(lambda: reader.reasons() == [])
