"""Named places where a test may end the process with SIGKILL; nothing in production.

``KILL=relay.after_ack:3`` makes the process kill itself at the third pass of that place.
"""

from __future__ import annotations

import os
import signal

NAMES = (
    "submission.before_commit",
    "submission.after_commit",
    "consumer.before_commit",
    "consumer.after_commit",
    "consumer.after_offset_commit",
    "relay.before_send",
    "relay.after_ack",
    "delivery.before_send",
    "delivery.after_send",
)

_target, _, _count = os.environ.get("KILL", "").partition(":")
_passes = 0


def kill_point(name: str) -> None:
    """Die here if a test asked for it."""
    global _passes
    if name != _target:
        return
    _passes += 1
    if _passes >= int(_count or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
