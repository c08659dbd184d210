"""The seal of a row: what shows that a column of it was changed past the code that writes it.

A table whose rows are sealed has the column `SEAL`; `RowBuffer` fills it with each row it writes.
Whoever writes SQL can compute a hash anew: a seal is made with a key that no database has.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

SEAL = "seal"
DERIVED = "search"
"""How names of columns begin that are made of the others, and may be made anew."""


class Verdict(StrEnum):
    """What a seal says of its row."""

    AS_WRITTEN = "as_written"
    WITHOUT_KEY = "without_key"
    """The hash is right, and made without a key, as release 3 did: anybody could have made it."""
    KEY_UNKNOWN = "key_unknown"
    """Made with a key that is listed no more: nothing is proved."""
    CHANGED = "changed"
    MISSING = "missing"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain
).encode


class Sealer:
    """Seals rows with the first of `keys`, and knows what any of them sealed.

    Without keys a seal is the bare hash.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = {sha256(key).hexdigest()[:8]: key for key in keys}
        self._first = next(iter(self._keys), "")

    @property
    def first(self) -> str:
        """The name of the key that seals; empty without one."""
        return self._first

    @property
    def names(self) -> frozenset[str]:
        """The names of all keys that are listed."""
        return frozenset(self._keys)

    def seal(self, table: str, values: Mapping[str, Any]) -> str:
        """HMAC-SHA-256 of the row, in hex, after the name of its key: ``name:hash``."""
        if not self._first:
            return _hash(table, values)
        return f"{self._first}:{_keyed(self._keys[self._first], table, values)}"

    def verdict(self, table: str, values: Mapping[str, Any]) -> Verdict:
        """What the seal of the row says, which stands among its `values`."""
        said = values[SEAL]
        if said is None:
            return Verdict.MISSING
        name, keyed, mac = said.partition(":")
        if not keyed:
            return Verdict.WITHOUT_KEY if _hash(table, values) == said else Verdict.CHANGED
        if (key := self._keys.get(name)) is None:
            return Verdict.KEY_UNKNOWN
        right = hmac.compare_digest(_keyed(key, table, values), mac)
        return Verdict.AS_WRITTEN if right else Verdict.CHANGED


NO_KEY = Sealer()


def _said(table: str, values: Mapping[str, Any]) -> bytes:
    """The table and the row as JSON with sorted keys, moments in UTC.

    What is empty is left out, so that columns may be added.
    """
    kept = {
        column: value
        for column, value in values.items()
        if value and column != SEAL and not column.startswith(DERIVED)
    }
    return f"{table}{_encode(kept)}".encode()


def _hash(table: str, values: Mapping[str, Any]) -> str:
    return sha256(_said(table, values)).hexdigest()


def _keyed(key: bytes, table: str, values: Mapping[str, Any]) -> str:
    return hmac.digest(key, _said(table, values), "sha256").hex()
