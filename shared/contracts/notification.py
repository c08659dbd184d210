"""Facts told by notification: who was told what. No address ever stands here."""

from __future__ import annotations

from shared.contracts.event import Event


class DeliveryFact(Event):
    """A fact about one delivery."""

    delivery_id: str
    kind: str
    """``receipt``, ``reply``, ``question``, ``rejected``, ``delay``, ``new_work``, ``warning``,
    ``breach``, ``escalation`` …"""
    channel: str
    """``email``, ``wechat``, ``console`` or ``page``."""
    audience: str
    """``reporter`` or ``staff``."""
    staff: str | None = None


class NotificationSent(DeliveryFact, type="notification.sent.v1", owner="notification"):
    """It went out."""


class NotificationFailed(DeliveryFact, type="notification.failed.v1", owner="notification"):
    """It did not, and will not, go out this way; or nobody can know (`uncertain`)."""

    reason: str
    uncertain: bool = False


class NotificationSuppressed(DeliveryFact, type="notification.suppressed.v1", owner="notification"):
    """It was kept back on purpose."""

    reason: str
