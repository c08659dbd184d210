"""The fields of a push. Accounts may be set to XML (the usual) or JSON; both are flat."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from services.intake.wechat.errors import BodyTooLarge, MalformedBody
from services.intake.wechat.xml import parse_xml

_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MAX_BODY = 512 * 1024
"""Bytes. 50,000 characters of four bytes each, encrypted, fit; nothing real is near it."""


def parse_fields(body: bytes) -> dict[str, str]:
    """The top-level fields as text; numbers stay as they were written.

    `BodyTooLarge` above `MAX_BODY`; `MalformedBody` for anything else that is not as agreed.
    """
    if len(body) > MAX_BODY:
        raise BodyTooLarge
    return _parse_json(body) if is_json(body) else parse_xml(body)


def is_json(body: bytes) -> bool:
    """Whether this push is JSON rather than XML."""
    return body.lstrip()[:1] == b"{"


def _parse_json(body: bytes) -> dict[str, str]:
    try:
        found: dict[str, Any] = json.loads(
            body.decode("utf-8"),
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse,
            strict=False,  # raw control characters are taken out below, as they are from XML
        )
    except (ValueError, RecursionError):
        raise MalformedBody from None
    fields = {
        name: _CONTROLS.sub("", value) for name, value in found.items() if isinstance(value, str)
    }
    if any(_unstorable(value) for value in fields.values()):
        raise MalformedBody
    return fields


def _refuse(constant: str) -> NoReturn:
    raise MalformedBody


def _unstorable(text: str) -> bool:
    return any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)
