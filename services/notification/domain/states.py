"""What may become of a delivery, and why one is kept back."""

from __future__ import annotations

import hashlib
from enum import StrEnum

CONSOLE = "console"
"""The channel of staff without an address."""

PAGE_ONLY = "tracking page only"
STALE_REASON = "too long ago"
MOOT = "no longer needed"
TOO_MANY = "too many receipts to this address today"
OWN_ADDRESS = "the library's own address"
ERASED = "personal data erased"
ANSWERED_IN_CHAT = "the answer in the chat was the receipt"
NO_CONTACT_CAME = "the contact never came"
NO_LONGER_THEIRS = "the case is not theirs any more"
INTERRUPTED = "interrupted while sending"
RESTORED = "a backup was restored while it waited"


class State(StrEnum):
    """What has become of a delivery."""

    AWAITING_CONTACT = "awaiting_contact"
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"


WAITING = frozenset({State.READY, State.RETRY})
PENDING = WAITING | {State.AWAITING_CONTACT, State.SENDING}
RESENDABLE = frozenset({State.FAILED, State.UNCERTAIN})

_MOVES: dict[State, frozenset[State]] = {
    # Waiting here, and uncertain: a restored ledger does not know what went out since.
    State.AWAITING_CONTACT: frozenset(
        {State.READY, State.SUPPRESSED, State.FAILED, State.SENT, State.UNCERTAIN}
    ),
    State.READY: frozenset(
        {State.SENDING, State.SUPPRESSED, State.FAILED, State.SENT, State.UNCERTAIN}
    ),
    State.RETRY: frozenset(
        {State.SENDING, State.SUPPRESSED, State.FAILED, State.SENT, State.UNCERTAIN}
    ),
    State.SENDING: frozenset({State.SENT, State.RETRY, State.FAILED, State.UNCERTAIN}),
    # Late news of a sending that was given up for lost, or a person who decides.
    State.UNCERTAIN: frozenset({State.SENT, State.FAILED, State.READY}),
    State.FAILED: frozenset({State.SENT, State.READY}),
    State.SENT: frozenset(),
    State.SUPPRESSED: frozenset(),
}


class IllegalMove(RuntimeError):
    """A delivery cannot go from one state to the other: a bug in the caller."""


def move(state: str, to: State) -> State:
    """The new state, if the old one allows it."""
    if to not in _MOVES[State(state)]:
        raise IllegalMove(f"{state} → {to}")
    return to


def delivery_id(ce_id: str, recipient: str, turn: int = 0) -> str:
    """The same for the same notice, also after a lost database: so is then the Message-ID."""
    return hashlib.sha256(f"{ce_id}\n{recipient}\n{turn}".encode()).hexdigest()[:32]
