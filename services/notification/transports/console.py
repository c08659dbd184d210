"""The twin that sends nothing: it shows what would have gone out."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import unicodedata
from typing import Protocol

from services.notification.transports.base import OutgoingMessage, Sent

_NAMES = {
    "zh": ("将发送", "收件人", "主题", "编号"),
    "en": ("Would send", "To", "Subject", "Id"),
}
_WIDTH = 72


class Stream(Protocol):
    """Where text is shown."""

    def write(self, text: str, /) -> object:
        """Show it."""
        ...

    def flush(self) -> None:
        """Show it now."""
        ...


class Printer:
    """Standard output behind a thread: a reader that sleeps must not stop the system.

    Keeps `size` texts; what comes when it is full is counted and not shown.
    """

    def __init__(self, size: int = 1000, stream: Stream | None = None) -> None:
        self._texts: queue.Queue[str] = queue.Queue(size)
        self.stream = stream
        """Where it goes instead of standard output; may be changed at any time."""
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def write(self, text: str, /) -> None:
        """Show it soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
            self._thread.start()
        try:
            self._texts.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Nothing is held back on purpose."""

    def _run(self) -> None:
        while True:
            text = self._texts.get()
            if self._dropped:
                text, self._dropped = f"… {self._dropped} 条未显示 | not shown\n{text}", 0
            stream = self.stream or sys.stdout
            # A terminal that is gone is no reason to end.
            with contextlib.suppress(OSError, ValueError):
                stream.write(text)
                stream.flush()


class ConsoleTransport:
    """Prints to `stream` (standard output if none), with the address masked."""

    channel = "console"

    def __init__(self, stream: Stream | None = None, *, instead_of: str = "email") -> None:
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
        text = "".join(harmless(line) + "\n" for line in lines)
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()
        return Sent(self.channel, message.message_id)

    async def aclose(self) -> None:
        """Nothing to let go of."""


def mask(address: str) -> str:
    """Enough of an address to distinguish two, not enough to write to it."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 8 else "***"


def harmless(line: str) -> str:
    """`line` with everything a terminal would obey made visible."""
    # A comment may hold terminal escapes and bidi overrides; show them instead of obeying them.
    return "".join(
        f"\\x{ord(c):02x}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\t" else c
        for c in line
    )
