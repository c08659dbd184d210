"""Events of notification: who was sent what. No address ever stands here."""

from __future__ import annotations

from shared.contracts.event import PRIVATE, ErasureAcknowledged, Event


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


class NotificationFailed(
    DeliveryEvent, type="notification.failed.v1", owner="notification", shred=()
):
    """It did not, and will not, go out this way; or nobody can know (`uncertain`)."""

    reason: str
    uncertain: bool = False


class NotificationSuppressed(
    DeliveryEvent, type="notification.suppressed.v1", owner="notification", shred=()
):
    """It was kept back on purpose."""

    reason: str


class PrivateErasedByNotification(
    ErasureAcknowledged,
    type="private.erased_by_notification.v1",
    owner="notification",
    topic=PRIVATE,
    shred=(),
):
    """Notification has forgotten the personal data of a case."""
