"""A message as the bytes that travel: headers that nobody can inject into."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.notification.transports.base import OutgoingMessage

SENDER_NAMES = {"zh": "用户反馈直通车", "en": "Feedback Express"}
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.:\[\]-]+>")
_MAX_MESSAGE_ID = 200
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"
_DOMAIN = r"(\[[0-9A-Za-z.:]+\]|[^\s@<>\"(),:;\\\[\]]{1,253})"
_ADDRESS = re.compile(f"{_LOCAL}@{_DOMAIN}")


class UnsafeHeader(ValueError):
    """`field` holds what would end the header line, or is no such thing at all."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def fixed_message_id(delivery_id: str, domain: str) -> str:
    """The ``Message-ID`` of a delivery: the same for every attempt."""
    return f"<{delivery_id}@{domain}>"


def fixed_thread_id(feedback_id: str, domain: str) -> str:
    """What all mails about a case refer to. A hash: who reads a mail learns no id of ours."""
    return f"<case.{hashlib.sha256(feedback_id.encode()).hexdigest()[:32]}@{domain}>"


def mail_domain(base_url: str) -> str:
    """The domain our mail comes from, where only the address of the site is known."""
    host = urlsplit(base_url).hostname or "localhost"
    try:
        version = ip_address(host).version
    except ValueError:
        return host
    return f"[{host}]" if version == 4 else f"[IPv6:{host}]"


def mailbox(address: str, field: str = "to") -> str:
    """`address` as it goes on the wire, the domain in its ASCII form; `UnsafeHeader` if none."""
    if not _ADDRESS.fullmatch(address):
        raise UnsafeHeader(field)
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        raise UnsafeHeader(field) from None


def build_mail(
    message: OutgoingMessage, sender: str, date: datetime, reply_to: str | None = None
) -> bytes:
    """The whole mail with CRLF line ends, 7 bit throughout."""
    _check_id(message.message_id, "message_id")
    if message.thread_id:
        _check_id(message.thread_id, "thread_id")
    mail = EmailMessage(policy=SMTP)
    name = SENDER_NAMES.get(message.locale, SENDER_NAMES["en"])
    mail["From"] = Address(display_name=name, addr_spec=mailbox(sender))
    mail["To"] = Address(addr_spec=mailbox(message.to))
    if reply_to:
        mail["Reply-To"] = Address(addr_spec=mailbox(reply_to))
    mail["Subject"] = _one_line(message.subject)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = message.message_id
    if message.thread_id:
        mail["In-Reply-To"] = mail["References"] = message.thread_id
    if message.automatic:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_clean(message.text), charset="utf-8", cte="base64")
    if message.html is not None:
        html = _clean(message.html)
        mail.add_alternative(html, subtype="html", charset="utf-8", cte="base64")
    # Last: setting the content takes every Content-… header away.
    mail["Content-Language"] = "en" if message.locale == "en" else "zh-CN"
    return mail.as_bytes()


def _check_id(value: str, field: str) -> None:
    if len(value) > _MAX_MESSAGE_ID or not _MESSAGE_ID.fullmatch(value):
        raise UnsafeHeader(field)


def _one_line(subject: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in subject):
        raise UnsafeHeader("subject")
    return subject


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
