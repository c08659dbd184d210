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
    """The fields of one ``<xml>`` message, the first of each name.

    `MalformedBody` for broken XML, any DOCTYPE, deep nesting.
    """
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


def cdata(text: str) -> str:
    """`text` as a CDATA section: no end marker inside, no character that XML forbids."""
    return "<![CDATA[" + _FORBIDDEN.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
