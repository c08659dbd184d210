"""Builds notification: settings become transports, entry points are plugged in."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.notification import api, store
from services.notification.deps import NAME, Deps
from services.notification.domain import plain_address
from services.notification.handlers import HANDLERS, TOMBSTONES
from services.notification.handlers.recollect import OWN
from services.notification.jobs import Sender
from services.notification.jobs.holding import hold_waiting
from services.notification.store import NotificationTable, TokenRows
from services.notification.transports import (
    ConsoleTransport,
    Printer,
    SmtpTransport,
    Transport,
    WechatTransport,
    apps_from_setting,
    mail_domain,
    server_from_setting,
)
from services.notification.transports.setting import check_settings, sender_of
from shared.contracts.notification import PrivateErasedByNotification
from shared.messaging.subscription import LINGER, Subscription
from shared.service import Runtime, Service
from shared.settings import refuse


def build(runtime: Runtime) -> Service[Deps]:
    """The service, not yet started."""
    deps = _deps(runtime, lambda: service)
    service = Service(
        NAME,
        runtime,
        metadata=NotificationTable.metadata,
        migrations=Path(__file__).parent / "migrations",
        subscription=Subscription(
            handlers=HANDLERS,
            tombstones=TOMBSTONES,
            acknowledge=PrivateErasedByNotification,
            loads=store.LOADED,
            linger=5 * LINGER,
            linger_at_broker=True,
            own=OWN,
        ),
        deps=deps,
    )
    service.routers = [api.router]
    service.jobs = {"sender": Sender(service, deps).run}
    service.notices = [deps.complaints]

    async def close() -> None:
        for transport in (deps.mail, deps.wechat_twin, *deps.wechat.values()):
            await transport.aclose()

    service.stopping = [close]
    service.acts_outside = True
    service.restored = [partial(hold_waiting, service)]
    return service


def _deps(runtime: Runtime, service: Callable[[], Service[Deps]]) -> Deps:
    settings = runtime.settings
    host = mail_domain(settings.url)
    printer = Printer()
    try:
        check_settings(settings)
    except ValueError as error:
        refuse(str(error))
    sender, apps = sender_of(settings), apps_from_setting(settings.wechat)
    mail: Transport = ConsoleTransport(printer, instead_of="email")
    if settings.smtp.strip():
        mail = SmtpTransport(
            server_from_setting(settings.smtp),
            sender=sender,
            reply_to=settings.mail_reply_to or None,
            clock=runtime.clock,
        )
    tokens = TokenRows(lambda: service().transaction())
    return Deps(
        directory=runtime.directory,
        base_url=settings.url,
        host=host,
        answerable=bool(settings.mail_reply_to),
        mailboxes=frozenset(map(plain_address, filter(None, (sender, settings.mail_reply_to)))),
        key=hmac.digest(settings.code_keys()[0], b"receivers", "sha256"),
        signer=runtime.signer,
        mail=mail,
        wechat={a.account: WechatTransport(a, tokens, runtime.clock) for a in apps.values()},
        wechat_twin=ConsoleTransport(printer, instead_of="wechat"),
        printer=printer,
        worker=runtime.replica,
        locale=settings.locale,
    )
