"""E-mail through one SMTP server."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from services.notification.transports.base import (
    Interrupted,
    OutgoingMessage,
    PermanentFailure,
    Sent,
    TemporaryFailure,
    TransportUnavailable,
    UnknownOutcome,
)
from services.notification.transports.mail import UnsafeHeader, build_mail, mailbox
from shared.clock import Clock
from shared.hosts import is_loopback

LONGEST = timedelta(seconds=10)
"""One message may take this long, whatever the server does."""
# Most servers answer a refused sender, client or password only once the receiver is named
# (Postfix: smtpd_delay_reject). These codes and words then still speak of us, not of the receiver.
_ABOUT_US = frozenset({502, 503, 504, 530, 534, 535, 538})
_STATUS_ABOUT_US = re.compile(r"[45]\.(1\.[78]|4\.5|7\.(8|9|11|14|2\d|30|54|57|60))\b")
"""RFC 3463 and its registry: sender address, authentication, SPF and DKIM, relaying, our quota
(4.5 is congestion, and what Gmail says when an account has sent enough for the day)."""
_WORDS_ABOUT_US = re.compile(
    r"relay(ing)? (access )?(denied|not permitted)|unable to relay|sender address rejected"
    r"|client host rejected|client was not authenticated|authentication required"
    r"|permissions? to send as|not (allowed|authori[sz]ed|permitted) to send|sender verif"
    r"|\b(spf|dkim|dmarc)\b|unauthenticated|\"?from\"? header"
    r"|(sending|message|mail|submission) (limit|quota)|(limit|quota) of messages",
    re.IGNORECASE,
)
_FORM = "must be smtp+starttls://[user:password@]host:port, smtps://… or smtp://host:port"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class SmtpSettingError(ValueError):
    """``EXPRESS_SMTP`` cannot be used. Never repeats it: a password may stand there."""

    def __init__(self, reason: str = _FORM) -> None:
        super().__init__(f"EXPRESS_SMTP: {reason}")


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str
    port: int
    tls: bool = False
    """From the first byte."""
    starttls: bool = False
    """Nothing is said before the line is encrypted; otherwise it is where the server offers it."""
    trusted: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """None: the authorities that this machine knows."""
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def server_from_setting(raw: str) -> SmtpServer:
    """``smtp://``, ``smtps://`` or ``smtp+starttls://`` and ``[user:password@]host:port``.

    Parts may be percent-encoded; ``?cafile=`` names an authority of one's own. Refused is a
    password in clear to another machine.
    """
    try:
        parts = urlsplit(raw.strip())
        default = _PORTS[parts.scheme]
        port = parts.port or default
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except (ValueError, KeyError):
        raise SmtpSettingError from None
    if not parts.hostname or parts.path.strip("/") or parts.fragment or options.keys() - {"cafile"}:
        raise SmtpSettingError
    if parts.scheme == "smtp":
        if parts.username and not is_loopback(parts.hostname):
            raise SmtpSettingError(
                "smtp:// would send the password in clear: write smtp+starttls:// or smtps://"
            )
        if options:
            raise SmtpSettingError("cafile needs smtp+starttls:// or smtps://")
    return SmtpServer(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp+starttls",
        trusted=_trusted(options["cafile"]) if options else None,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or "") if parts.username else None,
    )


def _trusted(cafile: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError):
        raise SmtpSettingError(f"cafile: {cafile} cannot be read as certificates") from None


class SmtpTransport:
    """One connection per message, `limit` for the whole of it."""

    channel = "email"

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        clock: Clock,
        reply_to: str | None = None,
        limit: timedelta = LONGEST,
    ) -> None:
        self._server = server
        self._sender = mailbox(sender, "from")
        self._reply_to = mailbox(reply_to, "reply_to") if reply_to else None
        self._clock = clock
        self._limit = limit.total_seconds()

    async def send(self, message: OutgoingMessage) -> Sent:
        """Hand the mail in and wait for the server's 250."""
        try:
            content = build_mail(message, self._sender, self._clock.now(), self._reply_to)
            receiver = mailbox(message.to)
        except UnsafeHeader as error:
            raise PermanentFailure(f"unsafe_{error.field}") from None
        # An empty return path: whatever bounces must not start a conversation of two machines.
        session = _Session(self._client())
        try:
            async with asyncio.timeout(self._limit):
                reference = await session.run(
                    "" if message.automatic else self._sender, receiver, content
                )
        except SMTPResponseException as error:
            _refused(error, receiver_named=session.receiver_named)
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            if session.handed_over:
                raise UnknownOutcome("smtp_no_answer_after_data") from error
            if session.receiver_named:
                raise TemporaryFailure(_why(error)) from error
            raise TransportUnavailable(_why(error)) from error
        except asyncio.CancelledError:
            # We are cancelled. What was not handed over can safely be sent after the restart.
            if session.handed_over:
                raise
            raise Interrupted from None
        finally:
            session.close()
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
            start_tls=False if server.tls else True if server.starttls else None,
            tls_context=server.trusted,
        )


class _Session:
    """One connection, one message. Knows how far it came."""

    def __init__(self, client: SMTP) -> None:
        self._client = client
        self.receiver_named = False
        self.handed_over = False

    async def run(self, return_path: str, receiver: str, content: bytes) -> str:
        client = self._client
        await client.connect()
        await client.mail(return_path)
        self.receiver_named = True
        await client.rcpt(receiver)
        # Not `client.data()`: losing the line before "354" is harmless, losing it after is not,
        # and only taking the two steps apart shows which it was.
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


def _refused(error: SMTPResponseException, *, receiver_named: bool) -> NoReturn:
    reason = f"smtp_{error.code}"
    if not receiver_named or _is_about_us(error):
        raise TransportUnavailable(reason, receiver_named=receiver_named) from error
    if error.code >= 500:
        raise PermanentFailure(reason) from error
    raise TemporaryFailure(reason) from error


def _is_about_us(error: SMTPResponseException) -> bool:
    # Addresses are quoted in the answer, and may be called anything.
    said = re.sub(r"<[^<>]*>|(?<![^\s<>@])[^\s<>@]+@\S+", "", error.message)
    return (
        error.code in _ABOUT_US
        or _STATUS_ABOUT_US.match(said.lstrip()) is not None
        or _WORDS_ABOUT_US.search(said) is not None
    )


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "smtp_certificate_not_trusted"
        cause = cause.__cause__
    if "STARTTLS extension not supported" in str(error):
        return "smtp_no_starttls"
    if isinstance(error, TimeoutError):
        return "smtp_timeout"
    return "smtp_unreachable" if isinstance(error, OSError) else "smtp_protocol"


def _reference(message: str) -> str:
    return "".join(c for c in message if c.isprintable())[:200]
