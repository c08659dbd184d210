"""What is used of FastStream and aiokafka without their promise is still there."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from io import BytesIO
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import RecordTooLargeError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11
from aiokafka.record import MemoryRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.decoding import LARGEST
from shared.messaging.fetch_codec import AnsweredPartition, AskedPartition
from shared.messaging.kafka_seams import (
    AIOKAFKA,
    FASTSTREAM,
    RawBatch,
    bound_decoding,
    pack_fetches,
    parse_batch,
    partitions_of,
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


def _int(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_ABORTED = st.none() | st.lists(st.tuples(_int(64), _int(64)), max_size=3)
_ANSWER = st.tuples(
    _int(32), _int(16), _int(64), _int(64), _int(64), _ABORTED, _int(32), st.none() | st.binary()
)


def _as_shipped() -> Any:
    """aiokafka's messages with its own way of packing partitions, whatever ran before."""
    spec = find_spec("aiokafka.protocol.fetch")
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


_SHIPPED = _as_shipped()


@given(asked=st.tuples(_int(32), _int(32), _int(64), _int(64), _int(32)))
def test_a_partition_is_asked_for_in_the_same_bytes(asked: tuple[int, ...]) -> None:
    theirs = partitions_of(_SHIPPED.FetchRequest_v11).array_of
    assert AskedPartition.encode(asked) == theirs.encode(asked)


@given(answered=_ANSWER, end=st.floats(0, 1, exclude_max=True))
def test_the_answer_is_read_as_the_client_would(answered: tuple[Any, ...], end: float) -> None:
    raw = partitions_of(_SHIPPED.FetchResponse_v11).array_of.encode(answered)
    assert AnsweredPartition.decode(BytesIO(raw)) == answered
    with pytest.raises(ValueError, match="ends within"):
        AnsweredPartition.decode(BytesIO(raw[: int(end * len(raw))]))


def test_whole_messages_stay_as_they_were() -> None:
    topics = [("one", [(0, 17, 1_000), (1, 2**40, 1_000)]), ("two", [])]
    ask = FetchRequest(500, 1, 5_000, 1, topics, rack_id="")
    answer = (3, 0, 0, [("one", [(0, 0, 9, 9, 0, [], -1, b"records")]), ("two", [])])
    pack_fetches()
    asked = ask.build(FetchRequest_v11)
    assert asked.encode() == ask.build(_SHIPPED.FetchRequest_v11).encode()
    raw = _SHIPPED.FetchResponse_v11(*answer).encode()
    assert FetchResponse_v11.decode(raw).topics == answer[3]
    assert "records" not in repr(FetchResponse_v11.decode(raw))
    assert "1099511627776" in repr(asked)
