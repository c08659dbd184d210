"""The ways out: e-mail, WeChat, and the console twin of both, behind one `Outlet`."""

from services.notification.outlets.base import (
    NeverThere,
    OutgoingMessage,
    Outlet,
    Sent,
    TryLater,
    Uncertain,
    Undelivered,
)
from services.notification.outlets.console import ConsoleOutlet, Printer
from services.notification.outlets.mail import fixed_message_id, mail_domain
from services.notification.outlets.smtp import SmtpOutlet, server_from_setting
from services.notification.outlets.tokens import AccessToken, MemoryTokenStore, TokenStore
from services.notification.outlets.wechat import WechatOutlet
from services.notification.outlets.wechat_apps import WechatApp, apps_from_setting

__all__ = [
    "AccessToken",
    "ConsoleOutlet",
    "MemoryTokenStore",
    "NeverThere",
    "OutgoingMessage",
    "Outlet",
    "Printer",
    "Sent",
    "SmtpOutlet",
    "TokenStore",
    "TryLater",
    "Uncertain",
    "Undelivered",
    "WechatApp",
    "WechatOutlet",
    "apps_from_setting",
    "fixed_message_id",
    "mail_domain",
    "server_from_setting",
]
