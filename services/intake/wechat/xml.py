"""The platform's flat XML, read without ever building a tree of what a stranger sent."""

from __future__ import annotations

import re
from typing import NoReturn
from xml.parsers import expat

from services.intake.wechat.errors import MalformedBody

_MAX_DEPTH = 16
_MAX_ELEMENTS = 2_000
_CHUNK = 4096
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Fields:
    """Collects the children of the root; what is nested deeper is counted and dropped."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.root = ""
        self._depth = 0
        self._elements = 0
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise MalformedBody
        if self._depth == 1:
            self.root = tag
        if self._depth == 2:
            self._text = []

    def data(self, text: str) -> None:
        if self._depth == 2:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if self._depth == 2:
            self.found.setdefault(tag, "".join(self._text))
        self._depth -= 1

    def doctype(self, *declared: object) -> NoReturn:
        """Nothing of the platform has one, and every attack by entities needs one."""
        raise MalformedBody


def parse_xml(body: bytes) -> dict[str, str]:
    """The fields of one ``<xml>`` message, the first of each name.

    `MalformedBody` for broken XML, any DOCTYPE, deep nesting.
    """
    fields = _Fields()
    try:
        # A name in a namespace carries it, so that it is none of ours.
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = fields.doctype
        parser.StartElementHandler = fields.start
        parser.CharacterDataHandler = fields.data
        parser.EndElementHandler = fields.end
        # In pieces: the parser reads the piece to its end even where a handler has refused it.
        for start in range(0, len(body), _CHUNK):
            parser.Parse(body[start : start + _CHUNK], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError):
        # ValueError and LookupError: a declared encoding that Python cannot or will not read.
        raise MalformedBody from None
    if fields.root != "xml":
        raise MalformedBody
    return fields.found


def cdata(text: str) -> str:
    """`text` as a CDATA section: no end marker inside, no character that XML forbids."""
    return "<![CDATA[" + _FORBIDDEN.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
