"""A mail server that keeps what it gets, and can be as unpleasant as real ones."""

from __future__ import annotations

import asyncio
import email
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Mode(StrEnum):
    """How the server treats a message."""

    ACCEPT = "accept"
    TARPIT = "tarpit"
    """Never answers RCPT."""
    TARPIT_AFTER_DATA = "tarpit_after_data"
    """Takes the message and never says so."""
    LATER = "4xx"
    LATER_AFTER_DATA = "4xx_after_data"
    REFUSE = "5xx"
    REFUSE_AFTER_DATA = "5xx_after_data"
    DROP_BEFORE_DATA = "drop_before_data"
    DROP_AFTER_DATA = "drop_after_data"
    """Takes the message and cuts the line before its 250."""


@dataclass(frozen=True)
class Received:
    """One message the server has, whether or not it said so."""

    mail_from: str
    rcpt_to: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=default)


@dataclass
class SmtpSink:
    """The running server. `modes` wins over `mode` for single receivers."""

    mode: Mode = Mode.ACCEPT
    modes: dict[str, Mode] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """What the server says to ``EHLO``, ``MAIL`` or ``RCPT`` instead of taking it."""
    senders: list[str] = field(default_factory=list)
    """What came with every ``MAIL FROM``, taken or not."""
    login: tuple[str, str] | None = None
    logins: int = 0
    """How often somebody tried, right or wrong."""
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def url(self) -> str:
        """For ``EXPRESS_SMTP``."""
        return f"smtp://{self.host}:{self.port}"

    def _mode(self, receivers: list[str]) -> Mode:
        return next((self.modes[r] for r in receivers if r in self.modes), self.mode)

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        if "EHLO" in self.answers:
            return [self.answers["EHLO"]]
        session.host_name = hostname
        return responses

    async def handle_HELO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str
    ) -> str:
        if "EHLO" in self.answers:
            return self.answers["EHLO"]
        session.host_name = hostname
        return "250 sink.example"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        mode = self._mode([address])
        if mode is Mode.TARPIT:
            await asyncio.sleep(3600)
        if mode is Mode.DROP_BEFORE_DATA:
            cast(Any, server).transport.abort()
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        if mode is Mode.LATER:
            return "451 4.3.0 try again later"
        if mode is Mode.REFUSE:
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        mode = self._mode(envelope.rcpt_tos)
        if mode is Mode.LATER_AFTER_DATA:
            return "452 4.2.2 mailbox full"
        if mode is Mode.REFUSE_AFTER_DATA:
            return "554 5.7.1 looks like spam"
        content = envelope.original_content or b""
        sender = (envelope.mail_from or "").removeprefix("<>")
        self.received.append(Received(sender, list(envelope.rcpt_tos), content))
        if mode is Mode.TARPIT_AFTER_DATA:
            await asyncio.sleep(3600)
        if mode is Mode.DROP_AFTER_DATA:
            cast(Any, server).transport.abort()
        return "250 2.0.0 kept as number " + str(len(self.received))

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
        given = (data.login.decode(), data.password.decode())
        good = isinstance(data, LoginPassword) and given == self.login
        return AuthResult(success=good, handled=False)


@asynccontextmanager
async def smtp_sink(
    *,
    login: tuple[str, str] | None = None,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
) -> AsyncIterator[SmtpSink]:
    """A sink on a loopback port, for the length of a block."""
    sink = SmtpSink(login=login)
    sessions: list[SMTP] = []

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About AUTH without TLS: this is loopback.
            protocol = SMTP(
                sink,
                hostname="sink.example",
                loop=asyncio.get_running_loop(),
                authenticator=sink._authenticate if login else None,
                auth_required=login is not None,
                auth_require_tls=False,
                tls_context=starttls,
            )
        sessions.append(protocol)
        return protocol

    server = await asyncio.get_running_loop().create_server(session, sink.host, port, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for protocol in sessions:
            if protocol.transport is not None:
                cast(Any, protocol.transport).abort()
        await server.wait_closed()
