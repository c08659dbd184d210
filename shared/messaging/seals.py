"""The seal of a row: what shows that a column of it was changed past the code that writes it.

A table whose rows are sealed has the column `SEAL`; `RowBuffer` fills it with each row it writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

SEAL = "seal"
DERIVED = "search"
"""How names of columns begin that are made of the others, and may be made anew."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain
).encode


def seal_of(table: str, values: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over the table and the row as JSON with sorted keys, moments in UTC.

    What is empty is left out, so that columns may be added.
    """
    kept = {
        column: value
        for column, value in values.items()
        if value and column != SEAL and not column.startswith(DERIVED)
    }
    return sha256(f"{table}{_encode(kept)}".encode()).hexdigest()
