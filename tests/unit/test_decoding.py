"""Unpacking, up to a size, of what anybody may have squeezed."""

from __future__ import annotations

import gzip
import struct

import aiokafka.codec as theirs
import pytest
from aiokafka.errors import CorruptRecordException, RecordTooLargeError

from shared.messaging.decoding import DECODERS, LARGEST

CODECS = ("gzip", "snappy", "lz4", "zstd")
SAID = "占座没人管 ".encode() * 5_000


@pytest.mark.parametrize("codec", CODECS)
def test_what_was_squeezed_comes_out_as_it_was(codec: str) -> None:
    squeeze, unpack = getattr(theirs, f"{codec}_encode"), DECODERS[f"{codec}_decode"]
    for said in (b"", b"x", SAID, bytes(LARGEST)):
        assert unpack(squeeze(said)) == said
        assert unpack(memoryview(squeeze(said))) == said


@pytest.mark.parametrize("codec", CODECS)
def test_more_than_a_size_does_not_come_out(codec: str) -> None:
    squeezed = getattr(theirs, f"{codec}_encode")(bytes(LARGEST + 1))
    with pytest.raises(RecordTooLargeError):
        DECODERS[f"{codec}_decode"](squeezed)


def test_snappy_comes_in_one_piece_too() -> None:
    assert DECODERS["snappy_decode"](theirs.snappy_encode(SAID, xerial_compatible=False)) == SAID
    with pytest.raises(RecordTooLargeError):
        DECODERS["snappy_decode"](theirs.snappy_encode(bytes(LARGEST + 1), xerial_compatible=False))


DAMAGED = {
    "gzip with a wrong checksum": ("gzip", gzip.compress(SAID)[:-8] + bytes(8)),
    "gzip cut short": ("gzip", gzip.compress(SAID)[:-9]),
    "no gzip": ("gzip", b"no gzip at all"),
    "no zstd": ("zstd", b"no zstd at all"),
    "no lz4": ("lz4", b"no lz4 at all"),
    "no snappy": ("snappy", b"\xff" * 20),
    # Whose reader would go back and forth for ever.
    "blocks that go backwards": (
        "snappy",
        theirs.snappy_encode(b"x")[:16] + struct.pack("!i", -4),
    ),
    "half a block": ("snappy", theirs.snappy_encode(SAID)[:-1]),
    "half a size": ("snappy", theirs.snappy_encode(SAID) + b"\0"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_an_error_of_the_batch_and_of_no_line(name: str) -> None:
    codec, squeezed = DAMAGED[name]
    with pytest.raises(CorruptRecordException):
        DECODERS[f"{codec}_decode"](squeezed)
