"""A form with files, read as it comes: no more is held of it than was asked for.

What is too large is counted and thrown away, so that the words beside it can be given back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# Anybody may send what it would warn of.
logging.getLogger("python_multipart").setLevel(logging.ERROR)
_MOST_HEAD = 8_000
"""Bytes of all header lines of a part."""


class NotMultipart(ValueError):
    """It cannot be read, or ends in the middle."""


class TooMuchText(ValueError):
    """More words than may be."""


@dataclass(frozen=True, slots=True)
class Files:
    """Which files of a form are wanted: those of one field."""

    name: str
    most: int
    """How many are kept; the others are named only."""
    largest: int
    """Bytes of one."""
    keep: bool = True
    """False: what was sent is counted and nothing kept."""


@dataclass(frozen=True, slots=True)
class PartLimits:
    """How much a form may have."""

    fields: int
    text: int
    """Bytes of all fields that are no files."""
    files: Files


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of the wanted field."""

    size: int
    """Bytes as sent."""
    content: bytes | None = field(default=None, repr=False)
    """None where it was not kept."""


async def read_parts(
    content_type: str, stream: AsyncIterator[bytes], limits: PartLimits
) -> tuple[list[tuple[str, str]], list[SentFile]]:
    """The fields and the wanted files; a file field that was left empty is no file."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise NotMultipart
    parts = _Parts(limits)
    try:
        parser = MultipartParser(boundary, parts.callbacks)
        async for chunk in stream:
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError):
        raise NotMultipart from None
    if not parts.ended:
        raise NotMultipart
    return parts.pairs, parts.files


class _Parts:
    """What the parser calls."""

    def __init__(self, limits: PartLimits) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.files: list[SentFile] = []
        self.ended = False
        self._limits, self._text = limits, 0
        self._begin()

    @property
    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._head = self._size = 0
        self._key, self._value, self._disposition = b"", b"", b""
        self._name, self._filename = "", None
        self._content = bytearray()

    _filename: bytes | None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._key += self._counted(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, piece: bytes) -> bytes:
        self._head += len(piece)
        if self._head > _MOST_HEAD:
            raise NotMultipart
        return piece

    def _header_end(self) -> None:
        if self._key.lower() == b"content-disposition":
            self._disposition = self._value
        self._key, self._value = b"", b""

    def _headers_end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"name" not in options:
            raise NotMultipart
        self._name, self._filename = options[b"name"].decode("utf-8"), options.get(b"filename")
        if len(self.pairs) + len(self.files) >= self._limits.fields:
            raise NotMultipart

    @property
    def _wanted(self) -> bool:
        files = self._limits.files
        fits = len(self.files) < files.most and self._size <= files.largest
        return self._name == files.name and files.keep and fits

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._filename is None:
            self._text += end - start
            if self._text > self._limits.text:
                raise TooMuchText
            self._content += data[start:end]
        elif self._wanted:
            self._content += data[start:end]
        else:
            self._content = bytearray()

    def _end(self) -> None:
        if self._filename is None:
            self.pairs.append((self._name, self._content.decode("utf-8")))
        elif self._name == self._limits.files.name and (self._filename or self._size):
            content = bytes(self._content) if self._wanted else None
            self.files.append(SentFile(self._size, content))
        self._content = bytearray()

    def _all(self) -> None:
        self.ended = True
