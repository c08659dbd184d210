"""How messages leave: e-mail, WeChat, and the console twin of both, behind one `Transport`."""

from services.notification.transports.base import (
    Interrupted,
    MessageTooLong,
    OutgoingMessage,
    PermanentFailure,
    Sent,
    TemporaryFailure,
    Transport,
    TransportUnavailable,
    Undelivered,
    UnknownOutcome,
)
from services.notification.transports.console import ConsoleTransport, Printer
from services.notification.transports.mail import fixed_message_id, fixed_thread_id, mail_domain
from services.notification.transports.smtp import SmtpTransport, server_from_setting
from services.notification.transports.tokens import AccessToken, MemoryTokenStore, TokenStore
from services.notification.transports.wechat import WechatTransport
from services.notification.transports.wechat_apps import WechatApp, apps_from_setting

__all__ = [
    "AccessToken",
    "ConsoleTransport",
    "Interrupted",
    "MemoryTokenStore",
    "MessageTooLong",
    "OutgoingMessage",
    "PermanentFailure",
    "Printer",
    "Sent",
    "SmtpTransport",
    "TemporaryFailure",
    "TokenStore",
    "Transport",
    "TransportUnavailable",
    "Undelivered",
    "UnknownOutcome",
    "WechatApp",
    "WechatTransport",
    "apps_from_setting",
    "fixed_message_id",
    "fixed_thread_id",
    "mail_domain",
    "server_from_setting",
]
