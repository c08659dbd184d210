"""What a page showed, so that nobody writes over what somebody else has written since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shared.contracts.refusal import Conflict


def seen(*shown: Any) -> str:
    """A mark of these values, which a form carries as ``seen``."""
    return hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16]


def refuse_stale(fields: Mapping[str, Any], mark: str) -> None:
    """409 where the page showed something else; who says nothing of what they saw may go on."""
    if fields.get("seen") not in (None, "", mark):
        raise Conflict(
            "您看的时候，它有了变化。请先看看现在的。",
            "It changed while you were looking. Please look at it again first.",
            allowed=["look"],
        )
