"""What is used of FastStream and aiokafka without their promise is still there."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import RecordTooLargeError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record import MemoryRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.messaging.decoding import LARGEST
from shared.messaging.kafka_seams import (
    AIOKAFKA,
    FASTSTREAM,
    RawBatch,
    bound_decoding,
    parse_batch,
)


def test_the_versions_are_those_that_were_read() -> None:
    assert version("faststream") == FASTSTREAM
    assert version("aiokafka").startswith(f"{AIOKAFKA}.")


def test_a_batch_can_be_asked_for_by_the_client_of_a_consumer() -> None:
    source = inspect.getsource(AIOKafkaConsumer.__init__)
    assert "self._client = AIOKafkaClient(" in source
    assert {"node_id", "request"} <= set(inspect.signature(AIOKafkaClient.send).parameters)
    FetchRequest(500, 1, 1, 0, [("topic", [(0, 0, 1)])], rack_id="")


def test_every_answer_to_a_fetch_moves_the_timestamp_an_empty_one_too() -> None:
    source = inspect.getsource(Fetcher._proc_fetch_request)
    stamped, empty = source.index("tp_state.timestamp ="), source.index("records.has_next()")
    assert stamped < empty


def _read(raw: bytes) -> list[Any]:
    records = MemoryRecords(raw)
    return list(records.next_batch())


def _batch(*, codec: int, value: bytes = b"value") -> bytes:
    builder = DefaultRecordBatchBuilder(
        2, codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0,
        batch_size=10**9,
    )  # fmt: skip
    for n in range(3):
        builder.append(n, None, None, value if n == 1 else b"value", [])
    return bytes(builder.build())


def test_a_batch_says_where_it_ends_without_being_decoded() -> None:
    raw = _batch(codec=0)
    assert parse_batch(raw + b"what follows") == RawBatch(0, 3, "none", raw)
    packed = _batch(codec=4)
    assert parse_batch(packed) == RawBatch(0, 3, "zstd", packed)


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_what_unpacks_to_more_than_a_size_is_not_unpacked(codec: int) -> None:
    bound_decoding()
    small, huge = _batch(codec=codec), _batch(codec=codec, value=bytes(LARGEST + 1))
    assert len(huge) < 1_000_000, "what a broker takes"
    assert [r.value for r in _read(small)] == [b"value"] * 3
    with pytest.raises(RecordTooLargeError):
        _read(huge)


def test_a_head_that_makes_no_sense_is_no_batch() -> None:
    assert parse_batch(b"") is None
    assert parse_batch(b"\xff" * 70) is None
