"""Every sentence that goes out. Chinese is the source; ``locales/`` has the other languages."""

from __future__ import annotations

from services.notification.wording import reporter, staff
from services.notification.wording.details import LOCALES, Details

__all__ = ["LOCALES", "Details", "compose"]

_WRITERS = reporter.WRITERS | staff.WRITERS


def compose(kind: str, details: Details) -> tuple[str, str]:
    """Subject and text of a message."""
    subject, *parts = _WRITERS[kind](details)
    return subject, "\n\n".join(part for part in parts if part) + "\n"
