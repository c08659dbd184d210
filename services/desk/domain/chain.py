"""The hash chain over a case's record: whoever changes a byte of it later is found.

The hash of a line is SHA-256, in hex, over the hash before it and the line as `canonical` text;
before the first stands the case's id, so that no line fits another case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

TIMELINE = ("seq", "ce_id", "type", "at", "by", "data")
MESSAGES = ("message_id", "kind", "at", "by", "text", "outcome", "words_id", "origin", "rule")
"""What of a row stands in the chain. What is empty is left out, so that columns may be added."""

_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a chain."""

    chained: int
    before: int
    """Lines without a hash, from before there was a chain."""
    broken: int | None = None
    """Which line is the first that differs, counted from 0; the number of lines: the end is
    missing, or the case does not know it."""

    @property
    def intact(self) -> bool:
        return self.broken is None


def line_of(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A row as it stands in the chain, moments as text in UTC to the microsecond."""
    values = {name: row.get(name) for name in names}
    return {
        name: _moment(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def canonical(line: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no blanks."""
    return _encode(line)


def link(previous: str, line: Mapping[str, Any]) -> str:
    """The hash of a line that follows the one whose hash is `previous`."""
    return sha256((previous + canonical(line)).encode()).hexdigest()


def verify(
    feedback_id: str,
    lines: Sequence[tuple[Mapping[str, Any], str | None]],
    head: str | None,
) -> Verdict:
    """Compute the chain again: `lines` with their hashes, `head` as the case knows it."""
    before = next((n for n, (_, known) in enumerate(lines) if known is not None), len(lines))
    previous = feedback_id
    for n in range(before, len(lines)):
        line, known = lines[n]
        previous = link(previous, line)
        if known != previous:
            return Verdict(n - before, before, n)
    end = previous if before < len(lines) else None
    return Verdict(len(lines) - before, before, None if end == head else len(lines))


def in_order(
    feedback_id: str, lines: Sequence[tuple[Mapping[str, Any], str | None]]
) -> list[tuple[Mapping[str, Any], str | None]]:
    """Lines that carry no number in the order of their chain; two of one moment may be swapped."""
    begin = next((n for n, (_, known) in enumerate(lines) if known is not None), len(lines))
    rest, ordered, previous = list(lines[begin:]), list(lines[:begin]), feedback_id
    while rest:
        at = next((n for n, (line, known) in enumerate(rest) if link(previous, line) == known), 0)
        ordered.append(rest.pop(at))
        previous = ordered[-1][1] or ""
    return ordered


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
