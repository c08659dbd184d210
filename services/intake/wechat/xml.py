"""The platform's flat XML, read without ever building a tree of what a stranger sent."""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from services.intake.wechat.errors import MalformedBody

_MAX_DEPTH = 16
_MAX_ELEMENTS = 2_000
_CHUNK = 4096
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What XML forbids and followers type all the same; the platform passes it on, raw or as a
# reference. Not NUL and not half a character: nobody types those.
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_REFERENCES = re.compile(
    rb"&#(?:0*(?:[1-8]|1[124-9]|2\d|3[01])|x0*(?:[1-8bcef]|1[0-9a-f]));", re.IGNORECASE
)
_CDATA = b"<![CDATA["


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

    def close(self) -> dict[str, str]:
        return self.found


def parse_xml(body: bytes) -> dict[str, str]:
    """The fields of one ``<xml>`` message, the first of each name, without control characters.

    `MalformedBody` for broken XML, any DOCTYPE, deep nesting.
    """
    body = without_controls(body)
    target = _Fields()
    try:
        parser = DefusedXMLParser(target=target, forbid_dtd=True)
        for start in range(0, len(body), _CHUNK):
            parser.feed(body[start : start + _CHUNK])
        fields: dict[str, str] = parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        # ValueError and LookupError: a declared encoding that Python cannot or will not read.
        raise MalformedBody from None
    if target.root != "xml":
        raise MalformedBody
    return fields


def without_controls(body: bytes) -> bytes:
    """`body` (UTF-8) without the control characters that no XML may hold."""
    body = _CONTROLS.sub(b"", body)
    if b"&#" not in body:
        return body
    first, *sections = body.split(_CDATA)
    parts = [_REFERENCES.sub(b"", first)]
    for section in sections:
        # Inside a CDATA section a reference is what somebody typed.
        inside, end, rest = section.partition(b"]]>")
        parts.append(inside + end + _REFERENCES.sub(b"", rest))
    return _CDATA.join(parts)


def cdata(text: str) -> str:
    """`text` as a CDATA section: no end marker inside, no character that XML forbids."""
    return "<![CDATA[" + _FORBIDDEN.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
