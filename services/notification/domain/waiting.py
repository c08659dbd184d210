"""What the chat did not take from us waits there until the reporter writes again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from services.notification.domain.cases import Case
from services.notification.domain.notice import REPORTER
from services.notification.domain.states import PENDING, State
from shared.contracts.notification import UNTIL_THEY_WRITE, WORDS

OPEN_FOR = timedelta(hours=48)
"""How long the platform passes on what goes out after a word of the follower."""
_ON_ITS_WAY = PENDING | {State.SENT, State.UNCERTAIN}


class Delivery(Protocol):
    """A delivery, as far as it matters here."""

    ce_id: str
    recipient: str
    kind: str
    channel: str
    state: str
    reason: str | None
    sort_key: str


AnyDelivery = TypeVar("AnyDelivery", bound=Delivery)


def to_send_again(
    rows: Sequence[AnyDelivery], case: Case, *, wrote: datetime, now: datetime
) -> list[AnyDelivery]:
    """Of the deliveries of a case those that go out because the reporter `wrote`, oldest first.

    None that goes, or may have gone, another way, nor one after which later words arrived: these
    lead to the page where all stand. A question is left where the case is answered by now.
    """
    if case.erased or now - wrote > OPEN_FOR:
        return []
    words = [r for r in rows if r.recipient == REPORTER and r.kind in WORDS]
    arrived = max((r.sort_key for r in words if r.state == State.SENT), default="")
    elsewhere = {r.ce_id for r in words if State(r.state) in _ON_ITS_WAY}
    waits = [
        r
        for r in words
        if (r.channel, r.state) == ("wechat", State.FAILED)
        and r.reason in UNTIL_THEY_WRITE
        and r.sort_key > arrived
        and r.ce_id not in elsewhere
        and not (r.kind == "question" and (case.answered or case.ended))
    ]
    return sorted(waits, key=lambda r: r.sort_key)
