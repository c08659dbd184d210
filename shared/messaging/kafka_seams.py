"""What is used of FastStream and aiokafka that they do not promise. Nothing else reaches inside.

`tests/unit/test_kafka_seams.py` fails when an installed version no longer has it.

- **FastStream: a subscriber without a handler.** `broker.start()` starts it, it joins its group and
  has its client at `subscriber.consumer`; no loop of FastStream's reads from it. Its own loop
  sleeps 15 s over a codec it cannot read, ends at an error of decoding, and gives a handler
  no word of either.
- **aiokafka: `getmany` that raises** has already moved past what it took from other partitions.
  Whoever catches an error of it has to seek back (`LogConsumer`), or records are never seen.
- **aiokafka: `last_poll_timestamp`** moves with each answer to a fetch, an empty one too.
- **aiokafka: the raw batch.** No public call shows what stands at an offset that cannot be decoded,
  or where it ends; `fetch_batch` asks the broker by the client's own connection.
- **aiokafka: the decoders** are names of the modules that parse batches, and unpack whatever is
  asked of them; `bound_decoding` puts ours, which have a limit, in their place.
- **aiokafka: the partitions of a fetch** are an array of a schema in its messages of version 11,
  which all brokers since 2.3 speak; `pack_fetches` puts ours, which are quicker, in its place.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11
from aiokafka.protocol.types import Array
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from shared.messaging.decoding import DECODERS
from shared.messaging.fetch_codec import AnsweredPartition, AskedPartition

FASTSTREAM = "0.7.8"
AIOKAFKA = "0.14"
"""The versions that were read for this; pyproject.toml pins them."""

_HEADER = struct.Struct(">qiibIhi")
"""Of a record batch: base offset, length, leader epoch, magic, CRC, attributes, last delta."""
_BEFORE_LENGTH = 12
_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
_LARGEST = 4_000_000


def client_of(subscriber: Any) -> AIOKafkaConsumer:
    """The client of a subscriber that was started."""
    consumer = subscriber.consumer
    assert isinstance(consumer, AIOKafkaConsumer)
    return consumer


def bound_decoding() -> None:
    """From now on no batch in this process is unpacked beyond a size; repeating it is harmless."""
    for parser in (DefaultRecordBatch, LegacyRecordBatch):
        module = sys.modules[parser.__module__]
        for name in DECODERS.keys() & vars(module).keys():
            setattr(module, name, DECODERS[name])


def partitions_of(message: Any) -> Array:
    """The array of partitions in the topics of a message to or from the broker."""
    topics = message.SCHEMA.fields[message.SCHEMA.names.index("topics")]
    array: Array = topics.array_of.fields[1]
    return array


def pack_fetches() -> None:
    """From now on the partitions of fetches are packed at once; repeating it is harmless."""
    partitions_of(FetchRequest_v11).array_of = AskedPartition
    partitions_of(FetchResponse_v11).array_of = AnsweredPartition


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch of records as it lies in the log, from `first` to before `next` (offsets)."""

    first: int
    next: int
    codec: str
    raw: bytes


def parse_batch(raw: bytes) -> RawBatch | None:
    """The first batch of a fetched record set; None where its head makes no sense."""
    if len(raw) < _HEADER.size:
        return None
    first, length, _, magic, _, attributes, last = _HEADER.unpack_from(raw)
    if magic != 2 or length < _HEADER.size - _BEFORE_LENGTH or last < 0:
        return None
    codec = attributes & 7
    name = _CODECS[codec] if codec < len(_CODECS) else f"codec {codec}"
    return RawBatch(first, first + last + 1, name, raw[: _BEFORE_LENGTH + length])


async def fetch_batch(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> RawBatch:
    """The batch that has `offset` in it, undecoded.

    One that not even says where it ends is taken to be the one record at `offset`.
    Raises ``KafkaError`` when the broker does not answer.
    """
    client = consumer._client
    leader = client.cluster.leader_for_partition(tp)
    request = FetchRequest(
        500, 1, _LARGEST, 0, [(tp.topic, [(tp.partition, offset, _LARGEST)])], rack_id=""
    )
    answer = await client.send(leader, request)
    ((_, ((*_, records),)),) = answer.topics
    raw = bytes(records or b"")
    batch = parse_batch(raw)
    if batch is None or not batch.first <= offset < batch.next:
        return RawBatch(offset, offset + 1, "unknown", raw)
    return batch
