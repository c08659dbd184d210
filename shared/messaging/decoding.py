"""What was squeezed is unpacked up to a size: no stranger's batch costs more memory than that.

A broker bounds batches as they are sent, squeezed: a megabyte of zstd may hold gigabytes.
"""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import cramjam
from aiokafka.errors import CorruptRecordException, RecordTooLargeError

LARGEST = 16_000_000
"""Bytes of a batch when unpacked: sixteen of the longest messages a broker takes by default."""
_XERIAL, _XERIAL_HEAD = b"\x82SNAPPY\0", 16

Decode = Callable[[Any], bytes]


def _bounded(decode: Decode) -> Decode:
    """`decode`, all of whose failures are those of a batch, none of a line or a disk."""

    @wraps(decode)
    def bounded(payload: Any) -> bytes:
        try:
            return decode(payload)
        except RecordTooLargeError:
            raise
        except Exception as error:
            raise CorruptRecordException(type(error).__name__) from error

    return bounded


@_bounded
def gzip_decode(payload: Any) -> bytes:
    """Of gzip. Raises `RecordTooLargeError`, `CorruptRecordException`."""
    with gzip.GzipFile(fileobj=io.BytesIO(payload)) as file:
        unpacked = file.read(LARGEST + 1)
    return _checked(unpacked)


@_bounded
def snappy_decode(payload: Any) -> bytes:
    """Of snappy, in one piece or in blocks as Java writes it."""
    view = memoryview(payload)
    blocks = list(_blocks(view)) if bytes(view[:8]) == _XERIAL else [view]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > LARGEST:
        raise RecordTooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


@_bounded
def lz4_decode(payload: Any) -> bytes:
    """Of lz4."""
    return _into(cramjam.lz4.decompress_into, payload)


@_bounded
def zstd_decode(payload: Any) -> bytes:
    """Of zstd."""
    return _into(cramjam.zstd.decompress_into, payload)


def _blocks(view: memoryview) -> Iterator[memoryview]:
    rest = view[_XERIAL_HEAD:]
    while rest:
        (size,) = struct.unpack_from("!i", rest)
        if size <= 0:
            raise CorruptRecordException("a block without a size")
        yield rest[4 : 4 + size]
        rest = rest[4 + size :]


def _into(decode: Callable[[Any, bytearray], int], payload: Any) -> bytes:
    """The library says of a room that is too small only that something failed."""
    room = bytearray(LARGEST + 1)
    try:
        return _checked(bytes(memoryview(room)[: decode(payload, room)]))
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise RecordTooLargeError from error
        raise


def _checked(unpacked: bytes) -> bytes:
    if len(unpacked) > LARGEST:
        raise RecordTooLargeError
    return unpacked


DECODERS: dict[str, Decode] = {
    decode.__name__: decode for decode in (gzip_decode, snappy_decode, lz4_decode, zstd_decode)
}
"""By the names under which aiokafka has its own."""
