"""Events of notification: who was sent what. No address ever stands here."""

from __future__ import annotations

from datetime import date

from shared.contracts.event import DIRECTORY, PRIVATE, DirectoryFact, ErasureAcknowledged, Event


class DeliveryEvent(Event):
    """What became of one delivery."""

    delivery_id: str
    kind: str
    """``receipt``, ``reply``, ``question``, ``rejected``, ``delay``, ``new_work``, ``warning``,
    ``breach``, ``escalation`` …"""
    channel: str
    """``email``, ``wechat``, ``console`` or ``page``."""
    audience: str
    """``reporter`` or ``staff``."""
    staff: str | None = None


class NotificationSent(DeliveryEvent, type="notification.sent.v1", owner="notification", shred=()):
    """It went out."""


UNTIL_THEY_WRITE = frozenset({"wechat_window_over", "wechat_quota_used", "wechat_not_a_follower"})
"""Reasons for which a chat takes nothing from us before the reporter writes there again."""
WORDS = frozenset({"reply", "question", "rejected", "progress", "appeal"})
"""Kinds of message with words that somebody wrote to the reporter."""


class NotificationFailed(
    DeliveryEvent, type="notification.failed.v1", owner="notification", shred=()
):
    """It did not, and will not, go out this way; or nobody can know (`uncertain`)."""

    reason: str
    uncertain: bool = False

    @property
    def until_they_write(self) -> bool:
        """Whether words to the reporter wait for a word of theirs in the chat."""
        to_reporter = self.audience == "reporter" and self.kind in WORDS
        return to_reporter and not self.uncertain and self.reason in UNTIL_THEY_WRITE


class NotificationSuppressed(
    DeliveryEvent, type="notification.suppressed.v1", owner="notification", shred=()
):
    """It was kept back on purpose."""

    reason: str


class ReportMailed(
    DirectoryFact,
    type="directory.report_mailed.v1",
    owner="notification",
    topic=DIRECTORY,
    shred=(),
):
    """What became of the last mail with a report of this kind to somebody."""

    kind: str
    """``week``, ``month`` or ``term``."""
    first: date
    """The first day of the period that it is about."""
    department: str | None = None
    """None: the whole library."""
    staff: str
    delivery_id: str
    channel: str
    outcome: str
    """``sent``, ``failed``, ``uncertain`` (nobody can know) or ``suppressed``."""
    reason: str | None = None

    @property
    def report_id(self) -> str:
        """The report it brought; see `ReportMade`."""
        return f"report/{self.kind}/{self.first}/{self.department or '*'}"

    @property
    def key(self) -> str:
        """One entry per kind and reader: the newest."""
        return f"report_mailed:{self.kind}:{self.staff}"


class PrivateErasedByNotification(
    ErasureAcknowledged,
    type="private.erased_by_notification.v1",
    owner="notification",
    topic=PRIVATE,
    shred=(),
):
    """Notification has forgotten the personal data of a case."""
