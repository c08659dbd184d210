"""Whether the last words to the reporter have reached them, as far as is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.contracts.notification import WORDS

_OUTCOMES = frozenset({"notification.sent", "notification.failed"})


def unreached(timeline: Iterable[Any]) -> Any:
    """The line that says so, where the last words have not arrived, or nobody knows; else None.

    Words that were sent after them lead to the page where all stand.
    """
    last = None
    for line in timeline:
        to_reporter = line.data.get("audience") == "reporter"
        if line.type in _OUTCOMES and to_reporter and line.data.get("kind") in WORDS:
            last = line
    return last if last is not None and last.type == "notification.failed" else None
