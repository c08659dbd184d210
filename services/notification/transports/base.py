"""What every transport has in common: one message in, and one of four outcomes.

Returned `Sent`: it is out. Raised `TemporaryFailure`: nothing went out, the same message may be
sent again. Raised `PermanentFailure`: nothing went out and nothing will this way. Raised
`UnknownOutcome`: it may be out; a person decides, and it is never sent again blindly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

WRITTEN_BY_PEOPLE = frozenset({"reply", "question"})
"""Kinds whose words a person wrote; all others are automatic mail."""


@dataclass(frozen=True)
class OutgoingMessage:
    """One message to one receiver. `message_id` is fixed and stored before the first attempt."""

    message_id: str
    """Stays the same over all attempts; for mail the whole ``<…@…>``."""
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    locale: str = "zh"
    kind: str = "receipt"
    thread_id: str = ""
    """The same for all mails of one case, of the form of a `message_id`: programs show them as one
    conversation. Empty for what belongs to no case."""

    @property
    def automatic(self) -> bool:
        """Whether no person wrote it."""
        return self.kind not in WRITTEN_BY_PEOPLE


@dataclass(frozen=True)
class Sent:
    """It went out; `reference` is what the other side calls it."""

    channel: str
    reference: str = ""


class Undelivered(Exception):
    """It is not known to have gone out. `reason` is a short code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TemporaryFailure(Undelivered):
    """Not now; `after` is what the other side asks for, where it does."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class TransportUnavailable(TemporaryFailure):
    """The transport as a whole is away, or refuses *us*: nothing was said about this receiver.

    Ours to mend, so nobody is given up for it. `receiver_named` where the refusal came after the
    receiver was named: then it may still be about them, and is not waited for without end.
    """

    def __init__(
        self, reason: str, after: timedelta | None = None, *, receiver_named: bool = False
    ) -> None:
        super().__init__(reason, after)
        self.receiver_named = receiver_named


class Interrupted(TemporaryFailure):
    """This process ends, and the message was not handed over: it was no attempt."""

    def __init__(self) -> None:
        super().__init__("stopped_before_handing_over")


class PermanentFailure(Undelivered):
    """This receiver will not get this message this way, perhaps another."""

    def __init__(self, reason: str, *, use_other_channel: bool = True) -> None:
        super().__init__(reason)
        self.use_other_channel = use_other_channel


class MessageTooLong(PermanentFailure):
    """Too many words for this channel; a shorter message may be sent instead."""


class UnknownOutcome(Undelivered):
    """Everything was handed over, and the answer never came."""


class Transport(Protocol):
    """One way to reach people."""

    @property
    def channel(self) -> str:
        """``email``, ``wechat`` or ``console``, as deliveries and events name it."""
        ...

    async def send(self, message: OutgoingMessage) -> Sent:
        """Send once, within a bounded time; else one of the exceptions above."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
