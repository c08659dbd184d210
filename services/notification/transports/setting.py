"""What the settings say of mail and WeChat, looked at before anything is started."""

from __future__ import annotations

from services.notification.transports.mail import UnsafeHeader, mail_domain, mailbox
from services.notification.transports.smtp import server_from_setting
from services.notification.transports.wechat_apps import apps_from_setting
from shared.settings import Settings

SENDER = "feedback"
"""The mailbox our mail comes from, at the host of the site, unless a setting names another."""


def sender_of(settings: Settings) -> str:
    """The address our mail comes from."""
    return settings.mail_from or f"{SENDER}@{mail_domain(settings.url)}"


def check_settings(settings: Settings) -> None:
    """`ValueError`, in one line that names the variable, for what nothing can be sent with."""
    apps_from_setting(settings.wechat)
    if not settings.smtp.strip():
        return
    server_from_setting(settings.smtp)
    for field, address in (("from", sender_of(settings)), ("reply_to", settings.mail_reply_to)):
        try:
            if address:
                mailbox(address, field)
        except UnsafeHeader:
            raise ValueError(
                f"EXPRESS_MAIL_{field.upper()}: must be one address, in ASCII before the @"
            ) from None
