"""Every sentence that goes out. Chinese is the source; ``locales/`` has the other languages."""

from __future__ import annotations

from services.notification.wording import report, reporter, staff
from services.notification.wording.details import LOCALES, Details
from services.notification.wording.report import page_of
from shared.web.letter import joined

__all__ = ["LOCALES", "Details", "compose", "page_of"]

_WRITERS = reporter.WRITERS | staff.WRITERS | report.WRITERS


def compose(kind: str, details: Details) -> tuple[str, str]:
    """Subject and text of a message."""
    if kind == "reply":
        # The one that desk shows before it is sent.
        return details.reply.message(details.channel, short=details.short)[:2]
    return joined(_WRITERS[kind](details))
