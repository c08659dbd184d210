"""What every way out has in common: one message in, and one of four things that can become of it.

Returned `Sent`: it is out. Raised `TryLater`: nothing went out, the same message may be sent again.
Raised `NeverThere`: nothing went out and nothing will on this way. Raised `Uncertain`: it may be
out; a person decides, and it is never sent again blindly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

WRITTEN_BY_PEOPLE = frozenset({"reply", "question"})
"""Kinds whose words a person wrote; all others are automatic mail."""
STOPPED = "stopped_before_handing_over"
"""Reason of a `TryLater` that is nobody's fault: this process ends."""


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


class TryLater(Undelivered):
    """Not now; `after` is what the other side asks for, where it does."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class NeverThere(Undelivered):
    """This receiver will not get this message on this way, perhaps on another."""

    def __init__(self, reason: str, *, use_other_channel: bool = True) -> None:
        super().__init__(reason)
        self.use_other_channel = use_other_channel


class Uncertain(Undelivered):
    """Everything was handed over, and the answer never came."""


class Outlet(Protocol):
    """One way out."""

    @property
    def channel(self) -> str:
        """``email``, ``wechat`` or ``console``, as deliveries and facts name it."""
        ...

    async def send(self, message: OutgoingMessage) -> Sent:
        """Send once, within a bounded time; else one of the exceptions above."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
