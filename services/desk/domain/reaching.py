"""Whether the last words to the reporter have reached them, as far as is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


_SAID = frozenset({"case.info_requested", "case.replied", "case.progressed"})


def only_a_telephone(contact: Mapping[str, Any]) -> bool:
    """Whether nothing can be sent to a reporter, who can be rung."""
    sent = contact.get("email") or contact.get("wechat_openid")
    return bool(contact.get("phone")) and not sent


def nobody_rang(timeline: Iterable[Any]) -> Any:
    """The line of the last words to a reporter who can only be rung, where nobody has noted since
    that they did, and the reporter has not spoken; else None."""
    last = None
    for line in timeline:
        if line.type in _SAID:
            last = line
        elif line.type.startswith("feedback.") or line.data.get("rang"):
            last = None
    return last
