"""The twin that sends nothing: it shows what would have gone out."""

from __future__ import annotations

import sys
import unicodedata
from typing import TextIO

from services.notification.outlets.base import OutgoingMessage, Sent

_NAMES = {
    "zh": ("将发送", "收件人", "主题", "编号"),
    "en": ("Would send", "To", "Subject", "Id"),
}
_WIDTH = 72


class ConsoleOutlet:
    """Prints to `stream` (standard output if none), with the address masked."""

    channel = "console"

    def __init__(self, stream: TextIO | None = None, *, instead_of: str = "email") -> None:
        self._stream = stream
        self._instead_of = instead_of

    async def send(self, message: OutgoingMessage) -> Sent:
        """Print it. Always works."""
        title, to, subject, ident = _NAMES.get(message.locale, _NAMES["en"])
        head = f"── {title} {self._instead_of} · {message.kind} "
        lines = [
            head + "─" * max(0, _WIDTH - len(head)),
            f"{to}: {mask(message.to)}",
            f"{ident}: {message.message_id}",
            *([f"{subject}: {message.subject}"] if message.subject else []),
            "",
            *(message.text.splitlines() or [""]),
            "─" * _WIDTH,
        ]
        text = "".join(_harmless(line) + "\n" for line in lines)
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()
        return Sent(self.channel, message.message_id)

    async def aclose(self) -> None:
        """Nothing to let go of."""


def mask(address: str) -> str:
    """Enough of an address to tell two apart, not enough to write to it."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 8 else "***"


def _harmless(line: str) -> str:
    # A comment may hold terminal escapes and bidi overrides; show them instead of obeying them.
    return "".join(
        f"\\x{ord(c):02x}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\t" else c
        for c in line
    )
