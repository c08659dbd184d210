"""E-mail through one SMTP server."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from services.notification.outlets.base import (
    STOPPED,
    NeverThere,
    OutgoingMessage,
    Sent,
    TryLater,
    Uncertain,
)
from services.notification.outlets.mail import UnsafeHeader, build_mail, mailbox
from shared.clock import Clock

LONGEST = timedelta(seconds=10)
"""One message may take this long, whatever the server does."""
_OUR_FAULT = frozenset({502, 503, 504, 530, 534, 535, 538})
"""Refusals that speak of our configuration, not of this receiver: a person mends it, we wait."""
_OUR_FAULT_WAIT = timedelta(minutes=5)
_FORM = "must be smtp://[user:password@]host:port or smtps://…"


class SmtpSettingError(ValueError):
    """``EXPRESS_SMTP`` cannot be used. Never repeats it: a password may stand there."""

    def __init__(self) -> None:
        super().__init__(f"EXPRESS_SMTP: {_FORM}")


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str
    port: int
    tls: bool = False
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def server_from_setting(raw: str) -> SmtpServer:
    """``smtp://[user:password@]host:port`` or ``smtps://…``; parts may be percent-encoded."""
    try:
        parts = urlsplit(raw.strip())
        default = {"smtp": 25, "smtps": 465}[parts.scheme]
        port = parts.port or default
    except (ValueError, KeyError):
        raise SmtpSettingError from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise SmtpSettingError
    return SmtpServer(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "smtps",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or "") if parts.username else None,
    )


class SmtpOutlet:
    """One connection per message, `limit` for the whole of it."""

    channel = "email"

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        clock: Clock,
        limit: timedelta = LONGEST,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = mailbox(sender)
        self._clock = clock
        self._limit = limit.total_seconds()
        self._tls_context = tls_context

    async def send(self, message: OutgoingMessage) -> Sent:
        """Hand the mail in and wait for the server's 250."""
        try:
            content = build_mail(message, self._sender, self._clock.now())
            receiver = mailbox(message.to)
        except UnsafeHeader as error:
            raise NeverThere(f"unsafe_{error.field}") from None
        # An empty return path: whatever bounces must not start a conversation of two machines.
        attempt = _Attempt(self._client())
        try:
            async with asyncio.timeout(self._limit):
                reference = await attempt.run(
                    "" if message.automatic else self._sender, receiver, content
                )
        except SMTPResponseException as error:
            _refused(error)
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            if attempt.handed_over:
                raise Uncertain("smtp_no_answer_after_data") from error
            raise TryLater(_why(error)) from error
        except asyncio.CancelledError:
            # We are told to stop. What was not handed over can safely be sent after the restart.
            if attempt.handed_over:
                raise
            raise TryLater(STOPPED) from None
        finally:
            attempt.close()
        return Sent(self.channel, reference)

    async def aclose(self) -> None:
        """Nothing is kept open."""

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            # Named here: otherwise the library asks the resolver, which may hang.
            local_hostname=self._sender.rpartition("@")[2],
            timeout=self._limit,
            use_tls=server.tls,
            start_tls=False if server.tls else None,
            tls_context=self._tls_context,
        )


class _Attempt:
    """One try. Knows whether the server may already have the message."""

    def __init__(self, client: SMTP) -> None:
        self._client = client
        self.handed_over = False

    async def run(self, return_path: str, receiver: str, content: bytes) -> str:
        client = self._client
        await client.connect()
        await client.mail(return_path)
        await client.rcpt(receiver)
        # Not `client.data()`: losing the line before "354" is harmless, losing it after is not,
        # and only taking the two steps apart tells which it was.
        ready = await client.execute_command(b"DATA")
        if ready.code != 354:
            raise SMTPResponseException(ready.code, ready.message)
        protocol = client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        self.handed_over = True
        protocol.write(_stuffed(content))
        answer = await protocol.read_response()
        if answer.code // 100 != 2:
            raise SMTPResponseException(answer.code, answer.message)
        return _reference(answer.message)

    def close(self) -> None:
        # No QUIT: the answer is here, and a slow goodbye must not undo it.
        self._client.close()


def _stuffed(content: bytes) -> bytes:
    body = re.sub(rb"(?m)^\.", b"..", content)
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _refused(error: SMTPResponseException) -> NoReturn:
    reason = f"smtp_{error.code}"
    not_about_the_receiver = isinstance(
        error, SMTPConnectError | SMTPHeloError | SMTPAuthenticationError
    )
    about_the_sender = isinstance(error, SMTPSenderRefused) and error.code in _OUR_FAULT
    if not_about_the_receiver or about_the_sender:
        raise TryLater(reason, _OUR_FAULT_WAIT) from error
    if error.code >= 500:
        raise NeverThere(reason) from error
    raise TryLater(reason) from error


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "smtp_timeout"
    return "smtp_unreachable" if isinstance(error, OSError) else "smtp_protocol"


def _reference(message: str) -> str:
    return "".join(c for c in message if c.isprintable())[:200]
